"""The 58 instruction types of IFBench's test set (Pyatkin et al. 2025, arXiv 2507.02833), one module per category.

The verdicts of `INSTRUCTIONS` are those of the published checkers (allenai/IFBench at db69a6f, August 2026), one by one
and with their defects, except where these depend on chance or on downloads, or fail:

- A missing, unexpected or impossible argument raises. Upstream draws one.
- Sentences are those of Punkt without a language model, so "Dr. Who" is two. Upstream downloads the English one.
- `words:start_verb` goes by a list of verbs and by endings. Upstream downloads a tagger; on the three published
  sample responses the two differ once ("Understand Galois theory", which the tagger takes for no verb).
- Words are counted with `re`, for which a combining mark ends a word, as in IFEval here. An emoji with U+FE0F is
  a word upstream, with NLTK 3.10, and none here.
- CSV data that cannot be read, or that has an empty field where quotes are looked for, is not followed (upstream
  raises).

`FIXED` has the rule that the prompt states where upstream checks another one, under the id with "~fixed":
docs/prompts_and_rules.md has a row for each.

The loose rule is IFEval's, `uniapl.checkers.variants`. No checker takes quadratic time.
"""

from uniapl.checkers.ifbench import count, custom, format, ratio, repeat, sentence, words

CATEGORIES = (count, ratio, words, sentence, format, custom, repeat)
INSTRUCTIONS = {name: instruction for category in CATEGORIES for name, instruction in category.INSTRUCTIONS.items()}
FIXED = {name: instruction for category in CATEGORIES for name, instruction in category.FIXED.items()}
