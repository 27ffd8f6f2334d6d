"""Two miniature benchmarks for the path of the large ones: one generates, extracts and matches as GSM8K does, one
chooses by likelihood as ARC does. Their rows are every combination of the miniature world's words: nothing is drawn."""

from uniapl.data.miniature.world import ENDINGS, TOPICS

CHOICES = 4


def endings() -> list[dict]:
    """A prompt for each topic and each closing phrase; the answer is the phrase."""
    return [
        {"question": f"Write about the {topic}. Finish with the phrase {ending}", "answer": ending}
        for topic in TOPICS
        for ending in ENDINGS
    ]


def _sentence(topic: str, i: int) -> str:
    nouns, verbs = TOPICS[topic]
    return f"The {nouns[i]} {verbs[i % len(verbs)]}."


def sentences() -> list[dict]:
    """For each topic and each of its nouns four sentences, of which one is about the topic; its place moves."""
    topics, rows = list(TOPICS), []
    for t, topic in enumerate(topics):
        for i in range(len(TOPICS[topic][0])):
            gold = (t + i) % CHOICES
            about = [topics[(t + c - gold) % len(topics)] for c in range(CHOICES)]
            choices = [_sentence(other, i) for other in about]
            rows.append({"question": f"Write about the {topic}.", "choices": choices, "gold": gold})
    return rows


def generation(**_) -> dict:
    """lm-eval's `custom_dataset` of the generation task."""
    from datasets import Dataset

    return {"test": Dataset.from_list(endings())}


def choice(**_) -> dict:
    """lm-eval's `custom_dataset` of the multiple-choice task; the last topic is for the few-shot examples."""
    from datasets import Dataset

    rows = sentences()
    shots = len(next(reversed(TOPICS.values()))[0])
    return {"test": Dataset.from_list(rows[:-shots]), "fewshot": Dataset.from_list(rows[-shots:])}
