"""custom: tasks of one prompt each."""

import csv
import datetime
import io
import re
import unicodedata
from itertools import islice, pairwise

from uniapl.checkers.arguments import Instruction
from uniapl.checkers.ifbench.arguments import PUNCTUATION, no_punctuation
from uniapl.checkers.punkt import sentences

MULTIPLES = [str(n) for n in range(10, 51) if n % 7 == 0]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
CAPITALS = (
    "Reykjavik Helsinki Oslo Tallinn Stockholm Riga Moscow Copenhagen Vilnius Minsk Dublin Berlin Amsterdam Warsaw "
    "London Brussels Prague Luxembourg Paris Vienna Bratislava Budapest Vaduz Chisinau Bern Ljubljana Zagreb"
).split()
KYIV = CAPITALS.index("Prague")  # its place at 50.45 degrees, between Brussels (50.85) and Prague (50.08)
CITY_COLUMNS = ["ID", "Country", "City", "Year", "Count"]
PRODUCT_COLUMNS = ["ProductID", "Category", "Brand", "Price", "Stock"]
STUDENT_COLUMNS = ["StudentID", "Subject", "Grade", "Semester", "Score"]
DAYS = (99, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # by month; as upstream there is a month 0 with any day
NAPOLEON = range(1769, 1822)
COUNTRIES = 52  # lines from Zimbabwe on
MEMBERS = 54  # countries of Africa: members of the United Nations


def _ascii(text: str) -> str:
    """The text without accents, and without what is not ASCII."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _header(columns: list[str], separator: str) -> re.Pattern:
    return re.compile(separator.join(rf'(?:{name}|"{name}")' for name in columns))


_PRODUCT_HEADER = _header(PRODUCT_COLUMNS, r",[ \t]*")
_STUDENT_HEADER = _header(STUDENT_COLUMNS, r"\t *")


def _rows(text: str, n: int, delimiter: str = ",") -> list[list[str]] | None:
    """The n rows of CSV data; None where there are more or fewer, or where the data cannot be read."""
    try:
        rows = list(islice(csv.reader(io.StringIO(text), delimiter=delimiter), n + 1))
    except csv.Error:
        return None
    return rows if len(rows) == n else None


def _keeps_quotes(text: str) -> str:
    """CSV data whose fields keep their quotes when they are read."""
    return text.replace('"', '"""')


def csv_city(text: str) -> bool:
    """CSV data: the five columns and seven rows of five fields."""
    rows = _rows(text, 8)
    return rows is not None and rows[0] == CITY_COLUMNS and all(len(row) == 5 for row in rows)


def _is_special(field: str) -> bool:
    """A character that is no letter, digit, blank or underscore stands inside double quotes that begin the field."""
    line = field.split("\n", 1)[0]
    return line.startswith('"') and bool(re.search(r"[^\w\s]", line[1 : max(line.rfind('"'), 1)]))


def csv_special_character(text: str) -> bool:
    """CSV data: the five columns, 14 rows, and a quoted field with a special character.

    As upstream the rows after the first with such a field may have any length.
    """
    if not _PRODUCT_HEADER.fullmatch(text.split("\n", 1)[0].strip()):
        return False
    for row in (_rows(_keeps_quotes(text), 15) or [])[1:]:
        if len(row) != 5:
            return False
        if any(map(_is_special, row)):
            return True
    return False


def csv_special_character_fixed(text: str) -> bool:
    """CSV data: the five columns, 14 rows of five fields, and a quoted field with a special character."""
    if not _PRODUCT_HEADER.fullmatch(text.split("\n", 1)[0].strip()):
        return False
    rows = (_rows(_keeps_quotes(text.replace(', "', ',"')), 15) or [])[1:]
    fields = [field for row in rows for field in row]
    return bool(rows) and all(len(row) == 5 for row in rows) and any(map(_is_special, fields))


def csv_quotes(text: str) -> bool:
    """CSV data, separated by tabs: the five columns and three rows of five fields, each field in double quotes."""
    if not _STUDENT_HEADER.fullmatch(text.split("\n", 1)[0].strip()):
        return False
    rows = _rows(_keeps_quotes(text), 4, delimiter="\t")
    fields = (field.strip() for row in rows or () for field in row)
    return (
        rows is not None
        and all(len(row) == 5 for row in rows)
        and all(field.startswith('"') and field.endswith('"') for field in fields)
    )


def _is_date(text: str) -> bool:
    """YYYY-MM-DD, in Napoleon's lifetime; the 29th of February is there every year."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return False
    year, month, day = map(int, text.split("-"))
    return year in NAPOLEON and month < len(DAYS) and day <= DAYS[month]


def date_format_list(text: str) -> bool:
    """Dates between commas and nothing else."""
    return all(_is_date(date.strip()) for date in text.split(","))


def date_format_list_fixed(text: str) -> bool:
    """Dates of the calendar in Napoleon's lifetime between commas and nothing else."""
    dates = [date.strip() for date in text.split(",")]
    return all(map(_is_date, dates)) and all(map(_is_in_the_calendar, dates))


def _is_in_the_calendar(date: str) -> bool:
    try:
        return bool(datetime.date.fromisoformat(date))
    except ValueError:
        return False


def european_capitals_sort(text: str) -> bool:
    """The capitals north of 45 degrees but Kyiv, from north to south, between commas; accents do not count."""
    return [name.strip() for name in _ascii(text).split(",") if name.strip()] == CAPITALS


def european_capitals_sort_fixed(text: str) -> bool:
    """The capitals north of 45 degrees, Kyiv too, from north to south, between commas, in any case.

    Accents do not count. A full stop may end the list, and Luxembourg City and Kiev are names of capitals.
    """
    names = [name.strip().lower() for name in _ascii(text.rstrip().removesuffix(".")).split(",")]
    names = [{"kiev": "kyiv", "luxembourg city": "luxembourg"}.get(name, name) for name in names]
    return names == [name.lower() for name in (*CAPITALS[:KYIV], "Kyiv", *CAPITALS[KYIV:])]


def _n_options_and_length(question: str) -> tuple[int, int]:
    """How many options a question has, and how long it is before them, its lines joined by blanks."""
    lines = [line.strip() for line in question.split("\n")]
    is_option = [bool(re.match(r"[A-Ea-e][.|)]\s*\w", line)) for line in lines]
    first = is_option.index(True) if any(is_option) else len(lines)
    return sum(is_option), len(" ".join(lines[:first]).strip())


def mcq_count_length(text: str) -> bool:
    """Four questions, each longer than the one before, with five options each; the text begins with "Question"."""
    if not text.startswith("Question"):
        return False
    parts = re.split(r"Question \d+[.|):;]?", text)
    questions = [_n_options_and_length(part.strip()) for part in parts if part.strip()]
    return (
        len(questions) == 4
        and all(n_options == 5 for n_options, _ in questions)
        and all(before < after for (_, before), (_, after) in pairwise(questions))
    )


_LABEL = re.compile(r"^[^\S\n]*Question\b[^\S\n]*\d*[^\S\n]*[.):|-]?", re.MULTILINE)
_OPTION = re.compile(r"\s*\(?[A-Ea-e1-5][.):]")


def mcq_count_length_fixed(text: str) -> bool:
    """Four questions, each longer than the one before, with five options each; each starts with the label "Question".

    The label may have a number, options letters or numbers.
    """
    before, *parts = _LABEL.split(text)
    if before.strip() or len(parts) != 4:
        return False
    lengths = []
    for lines in (part.strip().split("\n") for part in parts):
        options = [bool(_OPTION.match(line)) for line in lines]
        if sum(options) != 5:
            return False
        lengths.append(len(" ".join(line.strip() for line in lines[: options.index(True)])))
    return all(shorter < longer for shorter, longer in pairwise(lengths))


def multiples(text: str) -> bool:
    """The numbers in the text are the multiples of 7 from 10 to 50, in order."""
    return re.findall(r"\d+", text) == MULTIPLES


def reverse_newline(text: str) -> bool:
    """From the line with Zimbabwe on there are 52 lines or more, none after its successor in the alphabet."""
    lines = [line for line in (line.strip(PUNCTUATION) for line in text.split("\n")) if line]
    start = next((i for i, line in enumerate(lines) if "Zimbabwe" in line), len(lines))
    names = [_ascii(line) for line in lines[start:]]
    return len(names) >= COUNTRIES and all(before >= after for before, after in pairwise(names))


def reverse_newline_fixed(text: str) -> bool:
    """54 different lines or more, in reverse alphabetical order in any case, numbered or not; one names Zimbabwe.

    That each line is a country is not checked.
    """
    lines = (re.sub(r"^\s*\d+[.):]?\s*", "", _ascii(line)) for line in text.split("\n") if line)
    names = [name for name in (line.strip(PUNCTUATION).lower() for line in lines) if name]
    return len(names) >= MEMBERS and "zimbabwe" in names and all(before > after for before, after in pairwise(names))


def sentence_alphabet(text: str) -> bool:
    """Exactly 26 sentences, which begin with the letters of the alphabet in order, in any case."""
    firsts = [sentence.lower().lstrip()[:1] for sentence in sentences(text)[:27]]
    return firsts == list(LETTERS)


def sentence_alphabet_fixed(text: str) -> bool:
    """Exactly 26 sentences, whose first words begin with the letters in order, in any case and beside any mark."""
    firsts = (re.search(r"[^\W_]", sentence) for sentence in sentences(text)[:27])
    return [first[0].lower() for first in firsts if first] == list(LETTERS)


def word_reverse(text: str) -> bool:
    """Read backwards word by word, without punctuation, the text says "bald eagle"."""
    return "bald eagle" in " ".join(reversed(no_punctuation(text.lower()).split()))


def character_reverse(text: str) -> bool:
    """Read backwards letter by letter the text says "bald eagle", in any case."""
    return "elgae dlab" in text.lower()


INSTRUCTIONS = {
    "custom:csv_city": Instruction(csv_city),
    "custom:csv_special_character": Instruction(csv_special_character),
    "custom:csv_quotes": Instruction(csv_quotes),
    "custom:date_format_list": Instruction(date_format_list),
    "custom:european_capitals_sort": Instruction(european_capitals_sort),
    "custom:mcq_count_length": Instruction(mcq_count_length),
    "custom:multiples": Instruction(multiples),
    "custom:reverse_newline": Instruction(reverse_newline),
    "custom:sentence_alphabet": Instruction(sentence_alphabet),
    "custom:word_reverse": Instruction(word_reverse),
    "custom:character_reverse": Instruction(character_reverse),
}
FIXED = {
    "custom:csv_special_character~fixed": Instruction(csv_special_character_fixed),
    "custom:date_format_list~fixed": Instruction(date_format_list_fixed),
    "custom:european_capitals_sort~fixed": Instruction(european_capitals_sort_fixed),
    "custom:mcq_count_length~fixed": Instruction(mcq_count_length_fixed),
    "custom:reverse_newline~fixed": Instruction(reverse_newline_fixed),
    "custom:sentence_alphabet~fixed": Instruction(sentence_alphabet_fixed),
}
