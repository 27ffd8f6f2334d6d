"""Words that a prompt may forbid, and what can stand in their place. One word for one word, of the same kind."""

SUBSTITUTES = dict(
    pair.split(":")
    for pair in """
    important:central great:fine good:decent many:several often:frequently always:constantly help:support
    easy:simple new:fresh perfect:ideal beautiful:lovely amazing:striking wonderful:delightful enjoy:like
    different:other essential:necessary ensure:secure create:form start:begin simple:plain small:little
    happy:glad special:particular quickly:swiftly really:truly however:still because:since
    provide:give use:apply choose:pick remember:recall finally:lastly world:globe people:folk
    place:spot children:kids love:adore feel:sense keep:hold big:large best:finest feeling:mood
    experience:event make:produce need:require find:discover favourite:preferred
    joy:delight warm:cosy fun:amusement journey:trip heart:core
    """.split()
)
