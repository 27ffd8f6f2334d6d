"""The engine's sampler: transformers' distribution, exact log-probabilities, groups, endings."""

import pytest
import torch
from scipy.stats import chi2, chi2_contingency
from support import engines, miniature
from support.trainers import trained
from transformers import LlamaConfig, LlamaForCausalLM

from uniapl.method.engine.trainer import PLAIN, Engine
from uniapl.models.decoder import Decoder
from uniapl.models.logprobs import token_logprobs
from uniapl.models.sampler import draw, sample

ENDS = list(range(200))  # so many that rows end at different steps


def policy(sharp: float = 1.0):
    """The miniature; `sharp` scales what its head reads, so that probabilities differ."""
    model = miniature.policy().eval()
    with torch.no_grad():
        model.model.norm.weight.mul_(sharp)
    return model


def prompts(n: int = 4, group: int = 3) -> list[list[int]]:
    chats = [row["prompt"] for row in miniature.chats(n)]
    ids = miniature.tokenizer().apply_chat_template(chats, add_generation_prompt=True, return_dict=False)
    return [prompt for prompt in ids for _ in range(group)]


def counts(tokens: torch.Tensor, size: int) -> torch.Tensor:
    return torch.bincount(tokens, minlength=size)


def test_draws_follow_the_softmax_over_a_hundred_thousand_tokens():
    torch.manual_seed(0)
    logits, draws = torch.randn(60) * 1.5, 100_000
    tokens, logprobs = draw(logits.expand(draws, 60).clone(), torch.rand(draws))
    expected = logits.softmax(0) * draws
    statistic = ((counts(tokens, 60) - expected) ** 2 / expected).sum().item()
    assert chi2.sf(statistic, 59) > 1e-3
    torch.testing.assert_close(logprobs, logits.log_softmax(0)[tokens], rtol=1e-5, atol=1e-5)
    flat = (logits / 1.05).softmax(0) * draws  # a temperature that is wrong by a twentieth is seen
    assert chi2.sf(((counts(tokens, 60) - flat) ** 2 / flat).sum().item(), 59) < 1e-3


@pytest.mark.parametrize("uniform", [0.0, 1 - 2**-24])
def test_a_token_of_probability_zero_is_never_drawn(uniform):
    logits = torch.tensor([[float("-inf"), 0.3, -2.0, float("-inf")]] * 2)
    tokens, _ = draw(logits, torch.tensor([uniform, uniform]))
    assert tokens.tolist() == ([1, 1] if uniform == 0 else [2, 2])


def test_the_plain_and_the_fast_path_draw_from_one_distribution():
    """Two tokens of 50,000 responses to one prompt by each path; transformers' own generate is the plain one."""
    model, [prompt] = policy(sharp=6.0), prompts(1, 1)
    decoder, rows, batches = Decoder(model, torch.float32), 5_000, 10
    torch.manual_seed(3)
    fast, plain = [], []
    for _ in range(batches):
        fast.append(torch.tensor(sample(decoder, [prompt] * rows, 2, []).ids))
        ids = torch.tensor([prompt] * rows)
        drawn = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=2, do_sample=True, top_k=0, eos_token_id=None
        )
        plain.append(drawn[:, len(prompt) :])
    fast, plain = torch.cat(fast), torch.cat(plain)
    assert fast.numel() == plain.numel() == 100_000
    size = model.config.vocab_size
    for column in (0, 1):
        table = torch.stack([counts(fast[:, column], size), counts(plain[:, column], size)])
        often = table.sum(0) >= 20
        table = torch.cat([table[:, often], table[:, ~often].sum(1, keepdim=True)], dim=1)
        assert often.sum() > 20
        assert chi2_contingency(table[:, table.sum(0) > 0].numpy()).pvalue > 1e-3


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_each_tokens_log_probability_is_the_models(temperature):
    model = policy(sharp=3.0)
    torch.manual_seed(0)
    asked = prompts()
    drawn = sample(Decoder(model, torch.float32), asked, 20, ENDS, temperature)
    assert len({len(row) for row in drawn.ids}) > 3  # rows have left the batch
    if temperature != 1:
        with torch.no_grad():
            model.model.norm.weight.div_(temperature)  # the head is linear: the same as dividing its logits
    expected = token_logprobs(model, list(zip(asked, drawn.ids, strict=True)))
    for values, reference in zip(drawn.logprobs, expected, strict=True):
        torch.testing.assert_close(torch.tensor(values), reference, rtol=1e-4, atol=1e-5)


@pytest.fixture
def threads():
    """Sets how many threads torch computes with, and restores them."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_workers_give_what_one_thread_gives_and_leave_the_threads_as_they_were(threads):
    """Greedily, whose choice no draw decides: 40 rows in two shares, which cut the group of the seventh prompt."""
    model, asked = policy(sharp=3.0), prompts(14, 3)[:40]
    threads(1)
    alone = sample(Decoder(model, torch.float32), asked, 12, ENDS, greedy=True)
    threads(2)
    shared = sample(Decoder(model, torch.float32), asked, 12, ENDS, greedy=True)
    assert torch.get_num_threads() == 2
    assert shared.ids == alone.ids
    for values, reference in zip(shared.logprobs, alone.logprobs, strict=True):
        assert values == pytest.approx(reference, abs=1e-5)


def test_workers_draw_from_one_seed_and_not_the_same_tokens(threads):
    model, [prompt] = policy(), prompts(1, 1)
    threads(2)
    torch.manual_seed(5)
    first, more = (sample(Decoder(model, torch.float32), [prompt] * 40, 8, []).ids for _ in range(2))
    torch.manual_seed(5)
    assert sample(Decoder(model, torch.float32), [prompt] * 40, 8, []).ids == first != more
    assert first[:20] != first[20:]


def test_responses_end_with_the_first_end_token_or_at_the_limit():
    torch.manual_seed(1)
    drawn = sample(Decoder(policy(), torch.float32), prompts(6, 4), 16, ENDS)
    for row in drawn.ids:
        assert all(token not in ENDS for token in row[:-1])
        assert row[-1] in ENDS or len(row) == 16


def llama():
    """A Llama of random weights with three query heads to a key head."""
    shape = {"hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 2, "num_attention_heads": 6}
    shape |= {"num_key_value_heads": 2, "vocab_size": 300, "tie_word_embeddings": False, "initializer_range": 0.2}
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(**shape)).eval()


@pytest.mark.parametrize("make", [policy, llama], ids=["qwen3", "llama"])
@torch.no_grad()
def test_the_decoders_logits_are_transformers(make):
    """Prompts of 3 and 5 tokens, the second one's group of two rows, three tokens more of each; one row leaves."""
    model, (short, long) = make(), ([5, 6, 7], [9, 8, 7, 6, 5])
    decoder, owner = Decoder(model, torch.float32), torch.tensor([0, 1, 1])
    ids, mask = torch.tensor([[5, 5, *short], long]), torch.tensor([[0, 0, 1, 1, 1], [1] * 5]).bool()
    more = torch.tensor([[11, 12, 13], [21, 22, 23], [31, 32, 33]])
    found = [decoder.prefill(ids, mask, owner, 3), decoder.step(more[:, 0])]
    decoder.keep(torch.tensor([0, 2]))
    found += [decoder.step(more[[0, 2], 1])]
    for row, prompt in enumerate((short, long, long)):
        expected = model(input_ids=torch.tensor([[*prompt, *more[row, :2].tolist()]])).logits[0, len(prompt) - 1 :]
        for step, place in enumerate((row, row, {0: 0, 2: 1}.get(row))):
            if place is not None:
                torch.testing.assert_close(found[step][place], expected[step], rtol=1e-4, atol=1e-5)


def test_the_decoder_has_the_policys_weights_of_now_in_its_own_type():
    model = policy()
    decoder, state = Decoder(model, torch.bfloat16), torch.get_rng_state()
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight.mul_(2)
        model.lm_head.weight.add_(1)
    decoder.load(model)
    expected = torch.cat([model.model.layers[1].mlp.gate_proj.weight, model.model.layers[1].mlp.up_proj.weight])
    assert torch.equal(decoder.layers[1]["gate_up"], expected.to(torch.bfloat16))
    assert torch.equal(decoder.head, model.lm_head.weight.to(torch.bfloat16))
    assert model.lm_head.weight.dtype == torch.float32 and torch.equal(state, torch.get_rng_state())


def test_another_architecture_is_refused():
    model = policy()
    model.config.model_type = "gpt2"
    with pytest.raises(ValueError, match="qwen3 and llama"):
        Decoder(model, torch.float32)


@pytest.mark.parametrize("engine", [Engine(sampler=True), Engine(packed=True, sampler=True, late_correction=True)])
def test_a_training_with_the_sampler_learns_and_its_log_probabilities_are_the_trainers(tmp_path, engine):
    trainer = engines.grpo(tmp_path, engine, engines.EngineTrainer, max_steps=2)
    losses, gradients, _ = trained(trainer)
    assert all(gradient.norm() > 1e-3 for gradient in gradients)
    history = trainer.state.log_history
    if engine.late_correction:
        assert history[0]["sampling/sampling_logp_difference/max"] < 1e-4
        assert history[1]["sampling/importance_sampling_ratio/mean"] == pytest.approx(1, abs=1e-4)


def test_resuming_with_the_sampler_ends_with_the_weights_of_an_undisturbed_run(tmp_path):
    fast = Engine(packed=True, sampler=True, late_correction=True)
    options = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2}
    through = engines.grpo(tmp_path / "a", fast, engines.EngineTrainer, **options)
    through.train()
    again = engines.grpo(tmp_path / "b", fast, engines.EngineTrainer, **options)
    again.train(resume_from_checkpoint=str(tmp_path / "a" / "checkpoint-2"))
    assert torch.equal(miniature.weights(through.model), miniature.weights(again.model))
    plain = engines.grpo(tmp_path / "c", PLAIN, engines.EngineTrainer, **options)
    plain.train()
    assert not torch.equal(miniature.weights(through.model), miniature.weights(plain.model))
