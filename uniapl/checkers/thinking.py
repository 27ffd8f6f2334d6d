"""What a thinking model writes before its answer, told from an answer that mentions the tags."""

OPENING, CLOSING = "<think>", "</think>"


def strip_thinking(response: str) -> str:
    """The response without the thinking before it; anything else stays as it is.

    A section is opened by the response's first characters that are not blank, and ends with the first closing tag. Or
    the chat template opened it in the prompt, as those of Qwen3-Thinking and DeepSeek-R1: then its end is the first
    tag, alone on its line. A section without an end stays, as do tags later in the text: an answer may be about them.
    What is left starts at its first character that is not blank: the blank lines after a section belong to neither.
    """
    if response.lstrip().startswith(OPENING):
        _, closed, answer = response.partition(CLOSING)
        return answer.lstrip() if closed else response
    before, closed, after = response.partition(CLOSING)
    line = before.rpartition("\n")[2] + after.partition("\n")[0]
    if closed and OPENING not in before and not line.strip():
        return after.lstrip()
    return response
