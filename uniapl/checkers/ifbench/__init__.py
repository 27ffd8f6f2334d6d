"""The 58 instruction types of IFBench's test set (Pyatkin et al. 2025, arXiv 2507.02833), one module per category.

The verdicts of `INSTRUCTIONS` are those of the published checkers (allenai/IFBench at db69a6f, May 2026), one by one
and with their defects, except where these depend on chance or on downloads, or fail:

- A missing, unexpected or impossible argument raises. Upstream draws one.
- Sentences are those of Punkt without a language model, so "Dr. Who" is two. Upstream downloads the English one.
- `words:start_verb` goes by a list of verbs and by endings. Upstream downloads a tagger; on the three published
  sample responses the two differ once ("Understand Galois theory", which the tagger takes for no verb).
- Words are counted with `re`, for which a combining mark ends a word, as in IFEval here.
- CSV data that cannot be read, or that has an empty field where quotes are looked for, is not followed (upstream
  raises).

`FIXED` has the rule that the prompt states where upstream checks another one, under the id with "~fixed":

- `count:conjunctions` counts "and", "And" and "and," as one, not as three: fewer responses follow it.
- `ratio:sentence_type`, `ratio:sentence_balance` look past closing quotes and brackets for a sentence's mark, and need
  one sentence of each type: either way.
- `ratio:sentence_words` also asks for different words: fewer.
- `words:vowel` lets a paragraph have several lines: more.
- `words:words_position` counts words and not marks: either way.
- `format:line_indent` passes over every blank line, not every other one: more.
- `format:list` asks for the marker at the start of lines, not anywhere: fewer.
- `format:quote_unquote` reads curly quotes too: fewer.
- `format:sub-bullets` goes by lines, not by asterisks and hyphens anywhere (bold text, "well-known"), and asks for a
  bullet: either way.
- `format:thesis` takes no part of a tag for text: fewer.

The loose rule is IFEval's, `uniapl.checkers.variants`. No checker takes quadratic time.
"""

from uniapl.checkers.ifbench import count, custom, format, ratio, repeat, sentence, words

CATEGORIES = (count, ratio, words, sentence, format, custom, repeat)
INSTRUCTIONS = {name: found for category in CATEGORIES for name, found in category.INSTRUCTIONS.items()}
FIXED = {name: found for category in CATEGORIES for name, found in category.FIXED.items()}
