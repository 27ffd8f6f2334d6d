"""Public data sets as the suite's rows: key, prompt, instruction_id_list, kwargs, benchmark.

    python -m uniapl.data.public --out D --train 20000 --validation 512          prompts of the paper scale
    python -m uniapl.data.public.join --prompts D --demonstrations F --out DATA  with answers: stage data

One module reads one data set, from the files of `uniapl.data.hub.folder`. No code of a data set is executed: Parquet
and JSON Lines are read as tables, and Python's literals as literals. Keys are `<data set>/<its own key>`, so that rows
of several data sets share a file.

`BENCHMARKS` maps an evaluation set to the `benchmark` of its rows, which means the same as in the miniature world:
`trained` are the instruction types of training, the headline of every analysis (IFEval: its 25 types are among the 54
of the training set); `new_types` are types that no training prompt has (IFBench's 58). Multi-IF has no such rows: its
conversations have checkers of their own, and are a file of their own (uniapl/generate/converse.py).
"""

BENCHMARKS = {"ifeval": "trained", "ifbench": "new_types"}
