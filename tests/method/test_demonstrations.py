"""Demonstrations as tensors: prompts as rollouts see them, what of a response is learned, which are those of a step."""

import copy

import pytest
from support import miniature, trainers
from tokenizers.processors import TemplateProcessing

from uniapl.method.demonstrations import of_step, tokenize

CHATS = [row["prompt"] for row in miniature.chats(6)]
PROMPTS = [chat[0]["content"] for chat in CHATS]
TEXTS = [row["demonstration"] for row in miniature.chats(6)]


@pytest.fixture
def trainer(tmp_path):
    """A trainer with a tokenizer of its own, which a test may change."""
    found = trainers.uniapl(tmp_path)
    found.processing_class = found._tokenizer = copy.deepcopy(miniature.tokenizer())
    return found


def ids(found) -> list[tuple[list[int], list[int]]]:
    return [(prompt.tolist(), response.tolist()) for prompt, response in found]


@pytest.mark.parametrize("prompts", [CHATS, PROMPTS], ids=["chats", "texts"])
def test_a_response_keeps_its_first_tokens_and_its_end_where_there_is_room(trainer, prompts):
    whole, cut = (ids(tokenize(trainer, prompts, TEXTS, limit)) for limit in (1000, 5))
    end = trainer._tokenizer.eos_token_id
    expected = [[*of, end] for of in trainer._tokenizer(TEXTS, add_special_tokens=False)["input_ids"]]
    assert [response for _, response in whole] == expected
    assert cut == [(prompt, response[:5]) for prompt, response in whole]


def test_the_mark_that_begins_a_text_stands_before_the_prompt_alone(trainer):
    tokenizer = trainer._tokenizer
    mark = tokenizer.pad_token, tokenizer.pad_token_id
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=f"{mark[0]} $A", special_tokens=[mark])
    for prompt, response in ids(tokenize(trainer, PROMPTS, TEXTS, 1000)):
        assert prompt[0] == mark[1] and mark[1] not in prompt[1:] + response


def test_a_template_that_changes_one_prompt_once_it_is_answered_is_refused(trainer):
    tokenizer = trainer._tokenizer
    other = "{% if messages | length == 2 and 'WORDS' in messages[0].content %}!{% endif %}" + tokenizer.chat_template
    tokenizer.chat_template = other.replace("WORDS", PROMPTS[-1])
    with pytest.raises(ValueError, match="not prefix-preserving"):
        tokenize(trainer, CHATS, TEXTS, 1000)


def test_the_options_of_the_template_hold_for_demonstrations_too(trainer):
    plain = ids(tokenize(trainer, CHATS, TEXTS, 1000))
    trainer._tokenizer.chat_template = "{{ lead }}" + trainer._tokenizer.chat_template
    trainer.chat_template_kwargs = {"lead": "!!"}
    lead = trainer._tokenizer("!!")["input_ids"]
    assert ids(tokenize(trainer, CHATS, TEXTS, 1000)) == [(lead + prompt, response) for prompt, response in plain]


def test_an_epoch_is_a_permutation_and_another_epoch_and_another_seed_another_one():
    first, second = ([i for step in steps for i in of_step(24, 8, step, seed=0)] for steps in ((0, 1, 2), (3, 4, 5)))
    other = [i for step in (0, 1, 2) for i in of_step(24, 8, step, seed=1)]
    assert sorted(first) == sorted(second) == sorted(other) == list(range(24))
    assert first != second and first != other != second
    assert of_step(24, 10, 2, seed=0) == first[20:] + second[:6]  # a step over the end of an epoch
