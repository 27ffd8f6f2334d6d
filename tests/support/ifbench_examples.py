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

FIXED = {  # the same, and what upstream's verdicts on the two are
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
    "format:line_indent~fixed": ({}, "a\n\n\n b\n   c", "a\n\n\nb", (False, False)),
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
