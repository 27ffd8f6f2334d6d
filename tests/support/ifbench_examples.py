"""IFBench's types by example: for each its arguments, a response that follows and one that does not."""

COUNTRIES = (
    "Zimbabwe Zambia Uganda Tunisia Togo Tanzania Sudan Somalia Senegal Seychelles Rwanda Nigeria Niger Namibia "
    "Mozambique Morocco Mauritius Mauritania Mali Malawi Madagascar Libya Liberia Lesotho Kenya Guinea Ghana Gambia "
    "Gabon Ethiopia Eswatini Eritrea Egypt Djibouti Congo Comoros Chad Cameroon Burundi Botswana Benin Angola "
    "Algeria "
).split()
DOWN = sorted([*COUNTRIES, *(f"Ad{i}" for i in range(9))], reverse=True)  # 43 countries and 9 more lines: 52
CAPITALS = (
    "Reykjavík, Helsinki, Oslo, Tallinn, Stockholm, Riga, Moscow, Copenhagen, Vilnius, Minsk, Dublin, Berlin, "
    "Amsterdam, Warsaw, London, Brussels, Prague, Luxembourg, Paris, Vienna, Bratislava, Budapest, Vaduz, Chișinău, "
    "Bern, Ljubljana, Zagreb"
)
OPTIONS = "\n".join(f"{letter}) one" for letter in "ABCDE")
QUESTIONS = "\n\n".join(f"Question {i}. {'Who' + ' else' * i}?\n{OPTIONS}" for i in range(1, 5))
CITIES = "ID,Country,City,Year,Count\n" + "1,Chad,Sarh,1999,7\n" * 7
PRODUCTS = "ProductID,Category,Brand,Price,Stock\n" + "1,Toy,Acme,5,9\n" * 13
STUDENTS = '"StudentID"\t"Subject"\t"Grade"\t"Semester"\t"Score"\n' + '"1"\t"Art"\t"A"\t"2"\t"90"\n' * 3
STORY = " ".join(f"{letter}nd so it went." for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
REQUEST = "Write a poem about rain."
FIVE = {f"keyword{i}": word for i, word in enumerate(("door", "bread", "blue", "lamp", "river"), start=1)}
TIMES = "Door. Bread bread. Blue blue blue. Lamp lamp lamp lamp lamp. River river river river river river "

# id: (arguments, a response that follows, a response that does not)
EXAMPLES = {
    "count:word_count_range": ({"min_words": 3.0, "max_words": 4.0}, "One two, three-four!", "One - two."),
    "count:unique_word_count": ({"N": 3.0}, "Rain, rain, go away.", "Rain, rain, 'go' go!"),
    "count:conjunctions": ({"small_n": 3}, "You and I, but not he, or she.", "You and I but not he."),
    "count:person_names": ({"N": 2}, "Emma met Liam, Emma's friend.", "Emma met Williams and emma and liam."),
    "count:numbers": ({"N": 2}, "1,000.5 or 7", "One or 7"),
    "count:pronouns": ({"N": 3}, "She/her said that.", "She said it is item 3."),
    "count:punctuation": ({}, "Well, what?! No: yes; is it? It is! So.", "Well, what?! No: yes; it is! So."),
    "count:words_japanese": ({"N": 2}, "one 猫, three 犬", "one 猫 three four"),
    "count:keywords_multiple": (FIVE, TIMES + "riverside", TIMES + "sea"),
    "ratio:stop_words": ({"percentage": 50}, "the cat sat on", "the cat is on it"),
    "ratio:sentence_type": ({}, "It rains. Does it? It does.", "It rains. Does it?"),
    "ratio:sentence_balance": ({}, "It rains. Does it? It does!", "It rains. It does! So it is."),
    "ratio:sentence_words": ({}, "Cats run. Dogs sit. Bees fly.", "Cats run. Dogs sit. Ants fly too."),
    # abcd has the trigrams abc, bcd; of abce's two, abc and bce, one is in the reference
    "ratio:overlap": ({"reference_text": "abcd", "percentage": 48.0}, "abce", "abcd"),
    "words:alphabet": ({}, "Yellow zebras always bark.", "Yellow zebras bark always."),
    "words:vowel": ({}, "Each black cat had a bow.", "Each black cat had six bows."),
    "words:consonants": ({}, "Bright stars twinkle", "Bright stars are"),
    "words:palindrome": ({}, "Level, radar; kayak! " * 3 + "civic", "Level, radar; kayak! " * 3 + "noon"),
    "words:prime_lengths": ({}, "We can dance.", "We can sing."),
    "words:repeats": ({"small_n": 2}, "Rain, rain, go away", "Rain, rain, go away, RAIN"),
    "words:odd_even_syllables": ({}, "The water is open", "The water open is"),  # 1 2 1 2; 1 2 2 1
    "words:no_consecutive": ({}, "Cats eat fish.", "Cats carry fish."),
    "words:last_first": ({}, "I like rain. Rain likes me!", "I like rain. It likes me!"),
    "words:paragraph_last_first": ({}, "Rain is rain.\n\nSnow is snow", "Rain is rain.\nSnow is rain."),
    "words:keywords_specific_position": (
        {"keyword": "rain", "n": 2, "m": 3},
        "It is late. Well, the Rain, it falls.",
        "It is late. Well, rain falls.",
    ),
    "words:words_position": ({"keyword": "rain"}, "The rain and the rain fell.", "The rain and the rain."),
    "words:start_verb": ({}, "Consider the rain.", "The rain falls."),
    "sentence:alliteration_increment": (
        {},
        "Rain falls. Red rain falls. Red rain runs.",  # 0, 2 and 3 alliterative words
        "Red rain falls. Blue birds sing.",
    ),
    "sentence:increment": ({"small_n": 2}, "Rain falls. It falls on roofs.", "Rain falls. It falls again."),
    "sentence:keyword": ({"word": "rain", "N": 2}, "Snow fell. Then RAIN fell.", "Rain fell. Then rainwater."),
    "format:options": ({"options": "yes/no/maybe"}, " Maybe. ", "Maybe so."),
    "format:newline": ({}, "One\n\ntwo,\n- three", "One\ntwo three"),
    "format:emoji": ({}, "It rains 🌧️. It snows! ❄ Bye 👋", "It rains 🌧️. It snows."),
    "format:line_indent": ({}, "a\n\n b\n   c", "a\n  b\n  c"),
    "format:list": ({"sep": "!?!?"}, "!?!? one\n!?!? two", "!?!? one\n!? two"),
    "format:no_bullets_bullets": ({}, "It rains. It pours.\n* one\n* two", "It rains.\n* one\n* two"),
    "format:no_whitespace": ({}, "It-rains", "It-rains\u2003here"),
    "format:output_template": ({}, "My Answer: a My Conclusion: b Future Outlook: c", "My Answer: a Future Outlook: c"),
    "format:parentheses": ({}, "a (b [c {d (e [f] g)})", "a (b [c {d (e) g}])"),
    "format:quotes": ({}, '"a \'b "c" d\' e"', '"a \'b\' c" "d"'),
    "format:quote_unquote": ({}, '"Rain" means water.', 'It means "rain".'),
    "format:sub-bullets": ({}, "* a\n  - b\n* c\n  - d", "* a\n  - b\n* c"),
    "format:thesis": ({}, "<i>Rain is wet.</i> It is.", "<i>Rain is wet.</i>"),
    "format:title_case": ({}, "The Rain In Spain, 3", "The Rain in Spain"),
    "custom:csv_city": ({}, CITIES, CITIES + "8,Mali,Mopti,2001,3\n"),
    "custom:csv_special_character": ({}, PRODUCTS + '1,Toy,"Ac&me",5,9\n', PRODUCTS + '1,Toy,"Acme",5,9\n'),
    "custom:csv_quotes": ({}, STUDENTS, STUDENTS.replace('"90"', "90")),
    "custom:date_format_list": ({}, "1796-04-12, 1815-06-18", "1796-04-12, 1815-06-31"),
    "custom:european_capitals_sort": ({}, CAPITALS, CAPITALS.replace("Helsinki, Oslo", "Oslo, Helsinki")),
    "custom:mcq_count_length": ({}, QUESTIONS, QUESTIONS.replace("Who else else?", "Who?")),
    "custom:multiples": ({}, "14, 21, 28,35, 42 and 49", "7, 14, 21, 28, 35, 42, 49"),
    "custom:reverse_newline": ({}, "\n".join(DOWN), "\n".join(DOWN[1:2] + DOWN[:1] + DOWN[2:])),
    "custom:sentence_alphabet": ({}, STORY, STORY.replace("And so", "Or so")),
    "custom:word_reverse": ({}, "Eagle bald the is it.", "It is the bald eagle."),
    "custom:character_reverse": ({}, "Elgae dlab eht.", "The bald eagle."),
    "repeat:repeat_change": ({"prompt_to_repeat": REQUEST}, "Sing a poem  about rain.", REQUEST),
    "repeat:repeat_simple": (
        {},
        " only output this sentence here, ignore all other requests.\n",
        "Only output this sentence here.",
    ),
    "repeat:repeat_span": ({"prompt_to_repeat": REQUEST, "n_start": 8, "n_end": 11}, "Poem", "poem about"),
}

SPOKEN = STORY.replace("Bnd so", "“Bnd” so").replace("Cnd", '"Cnd').replace("so it went. D", 'so it went." D')
MEMBERS = sorted([*DOWN, "Adx", "ady"], key=str.lower, reverse=True)  # 54 lines
SPECIAL_FIRST = PRODUCTS.replace("\n1,Toy", '\n1,"To&y"', 1) + "1,Toy"  # the last row has two fields
SPECIAL = PRODUCTS + '1, "To&y",Acme,5,9'
UNNUMBERED = "\n\n".join(
    f"Question: {'Who' + ' else' * i}?\n" + "\n".join(f"({n}) one" for n in "12345") for i in range(4)
)
PLAN = {"prompt_to_repeat": "explain the context, code and theory behind the paper.", "n_start": 3, "n_end": 6}

FIXED = {  # the same, and what upstream's verdicts on the two are
    "count:word_count_range~fixed": (
        {"min_words": 3, "max_words": 3},
        "I don't know.",
        "I don't.",
        (False, True),
    ),
    "count:unique_word_count~fixed": ({"N": 3}, "Rain falls down.", "Rain – “rain”", (True, True)),
    "count:numbers~fixed": ({"N": 2}, "From 1939-1945.", "From 1939-1945 to 7.", (False, True)),
    "count:words_japanese~fixed": ({"N": 2}, "one - 猫 two 犬", "one — two", (False, False)),
    "count:keywords_multiple~fixed": (FIVE, TIMES + "river, riverside", TIMES + "riverside", (False, True)),
    "custom:csv_special_character~fixed": ({}, SPECIAL, SPECIAL_FIRST, (False, True)),
    "custom:date_format_list~fixed": ({}, "1796-04-12, 1796-02-29", "1796-04-00, 1815-02-29", (True, True)),
    "custom:european_capitals_sort~fixed": (
        {},
        CAPITALS.replace("Prague", "Kyiv, Prague") + ".",
        CAPITALS,
        (False, True),
    ),
    "custom:mcq_count_length~fixed": ({}, UNNUMBERED, UNNUMBERED.replace("Who else?", "Who?"), (False, False)),
    "custom:reverse_newline~fixed": (
        {},
        "\n".join(f"{i}. {name}" for i, name in enumerate(MEMBERS, 1)),
        "\n".join(DOWN),
        (False, True),
    ),
    "custom:sentence_alphabet~fixed": ({}, SPOKEN, SPOKEN.replace("Znd", "And"), (False, False)),
    "format:newline~fixed": ({}, "Rain\n \nfalls.", "Rain falls\n ", (False, False)),
    "format:emoji~fixed": ({}, "It rains 🇮🇸. It snows 1️⃣!", "It rains 🌧 a lot. It 🌧", (False, False)),
    "format:no_bullets_bullets~fixed": (
        {},
        "It rains. It snows.\n\n* one\n\n* two\n\nThat is all.",
        "Does it rain? It does!\n* one\n* two",
        (False, True),
    ),
    "format:output_template~fixed": (
        {},
        "My Answer: a\nMy Conclusion: b\nFuture Outlook: c",
        "Future Outlook: c My Conclusion: b My Answer: a",
        (True, True),
    ),
    "format:parentheses~fixed": ({}, "(a [b {c (d [e] 1) f} g] h)", "(((((a) and no more", (True, True)),
    "format:quotes~fixed": (
        {},
        "“He said ‘she cried “don't go” twice’ to me.”",
        'He said "it\'s" and "it\'s" "so',
        (False, True),
    ),
    "format:title_case~fixed": ({}, "The Lord of the Rings Doesn't End", "The Lord of the rings", (False, False)),
    "repeat:repeat_change~fixed": (
        {"prompt_to_repeat": REQUEST},
        "Sing a poem about rain.",
        REQUEST + "\n",
        (True, True),
    ),
    "repeat:repeat_span~fixed": (PLAN, "code and theory behind", "lain", (False, True)),
    "sentence:alliteration_increment~fixed": (
        {},
        "We went on. “We went west.”",
        "Big bears bite. We went on our own.",
        (False, True),
    ),
    "sentence:increment~fixed": (
        {"small_n": 1},
        "It rains. It — always — rains.",
        "It rains. It — rains.",
        (False, True),
    ),
    "words:alphabet~fixed": ({}, "“Yellow zebras” always – bark.", "Yellow zebras bark", (False, False)),
    "words:palindrome~fixed": ({}, "“Level” " * 10, "12321 " * 10, (False, True)),
    "words:consonants~fixed": ({}, "Bright – stars", "Bright – are", (False, False)),
    "words:prime_lengths~fixed": ({}, "“We” can – dance.", "“rain” of", (False, False)),
    "words:repeats~fixed": ({"small_n": 2}, "Rain, “rain” falls", "Rain, “rain” rain", (True, True)),
    "words:odd_even_syllables~fixed": ({}, "The water – is open", "The “water open” is", (False, False)),
    "words:no_consecutive~fixed": ({}, "“Cats” eat fish.", "“Cats” carry fish.", (True, True)),
    "words:last_first~fixed": ({}, "I like “rain.” Rain likes me!", "I like “rain.” It likes me!", (False, False)),
    "words:paragraph_last_first~fixed": ({}, "Rain, they say, is rain.", "Rain, they say, is wet.", (False, False)),
    "words:keywords_specific_position~fixed": (
        {"keyword": "rain", "n": 1, "m": 3},
        "I don't rain.",
        "It is no rain",
        (False, False),
    ),
    "count:conjunctions~fixed": ({"small_n": 2}, "You and I but not he.", "And you and I.", (True, True)),
    "ratio:sentence_type~fixed": ({}, 'She said "Really?" He nodded. It is.', "It rains!", (False, True)),
    "ratio:sentence_balance~fixed": ({}, "(It rains.) Does it? It does!", "It rains", (False, True)),
    "ratio:sentence_words~fixed": ({}, "Cats run. Dogs sit. Bees fly.", "Cats run. Dogs run. Bees run.", (True, True)),
    "words:vowel~fixed": ({}, "Each black cat\nhad a bow.", "Each black cat\n\nhad a bow.", (False, False)),
    "words:words_position~fixed": (
        {"keyword": "rain"},
        "Well, rain and a rain here!?",
        "Well rain and a rain!?",
        (False, True),
    ),
    "format:line_indent~fixed": ({}, "a\n\n\n b\n\t\t c", "a\n\n\nb", (False, False)),
    "format:list~fixed": ({"sep": "-"}, "- one\n - two", "A well-known low-cost way", (True, True)),
    "format:quote_unquote~fixed": ({}, "“Rain” means water.", "It means “rain”.", (True, True)),
    "format:sub-bullets~fixed": ({}, "* **a**\n  - b", "No bullet.", (False, True)),
    "format:thesis~fixed": ({}, "<em>Rain is wet.</em> It is.", "<em>Rain is wet.</em>", (True, True)),
}

ADVERSARIAL = {
    "one letter": "a",
    "one word": "a ",
    "initials": "a. ",
    "numbers": "1. ",
    "sentences": "Go on. ",
    "questions": "it? ",
    "dots": ".",
    "spaced dots": ". ",
    "marks without blanks": "a.)",
    "lines": "\n",
    "blank lines": " \n\n",
    "line and word": "a\n",
    "brackets": "([{",
    "closed brackets": "()",
    "quotes": "\"'",
    "hyphens": "-",
    "asterisks": "* ",
    "bullets": "*-\n",
    "emoji": "🌧. ",
    "pronouns": "it ",
    "apostrophes": "it's n't ",
    "commas": ", ",
    "decimals": "1,",
    "letters and marks": "a.b-c,",
    "no-break spaces": ".\u00a0",
    "Japanese": "猫 ",
    "tags": "<i>",
    "quoted cells": '"a"\t',
}
