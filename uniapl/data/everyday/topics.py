"""What the prompts of our own are about: everyday topics with six keywords each, and forms of text with wordings.

A topic completes "about ..."; its keywords are nouns in the singular. The topics of NEW_TOPICS are in no training and
no validation prompt: they are the benchmark `new_topics`.
"""

from typing import NamedTuple


class Form(NamedTuple):
    """A form of text: sentences that ask for it, with {topic}; `blanks`: a text that has fields to be filled in."""

    name: str
    wordings: tuple[str, ...]
    blanks: bool = False


def _read(lines: str) -> dict[str, tuple[str, ...]]:
    pairs = (line.split(": ") for line in lines.strip().splitlines())
    return {topic.strip(): tuple(words.split()) for topic, words in pairs}


OLD_TOPICS = _read("""
growing tomatoes on a balcony: pot soil sunlight water seedling harvest
baking bread at home: flour yeast dough oven crust kitchen
learning to ride a bicycle: helmet pedal brake balance street parent
a neighbour who plays loud music: wall evening volume conversation party rule
planning a birthday party for a child: cake balloon guest game invitation present
walking a dog in the city: leash park pavement treat puppy traffic
saving money for a holiday: budget account jar expense ticket goal
cleaning a small apartment: broom shelf cupboard dust window habit
getting up early: alarm coffee sunrise routine sleep breakfast
cooking a pot of vegetable soup: carrot onion broth spoon bowl recipe
moving to a new town: box truck address neighbour school landlord
taking the train to work: platform ticket seat delay commuter book
a first day at a new job: desk colleague manager lunch question badge
learning to play the guitar: chord string teacher practice song finger
keeping a diary: page pen memory evening thought notebook
camping beside a lake: tent fire lantern boat blanket star
shopping at a farmers' market: stall basket apple cheese price farmer
repairing a broken chair: glue hammer nail wood leg workshop
writing a letter to a grandmother: envelope stamp photograph story garden greeting
spending a rainy day indoors: puddle puzzle sofa film tea umbrella
a lost umbrella: bus rain handle office owner colour
the first snow of the year: snowman mitten street silence sledge roof
teaching a child to swim: pool lesson towel breath float confidence
choosing a pair of running shoes: shop foot size sole distance comfort
a library that stays open at night: shelf reader lamp silence student book
sharing a kitchen with flatmates: fridge dish schedule sink rent meal
making lemonade for a street fair: lemon sugar ice table cup customer
adopting a cat from a shelter: carrier litter bowl purr sofa vet
packing a suitcase: shirt shoe list zipper weight toothbrush
a picnic in the park: blanket sandwich basket ant shade drink
painting a bedroom wall: brush colour ladder tape bucket ceiling
learning a foreign language: word grammar lesson accent mistake dictionary
visiting a science museum: exhibit planet guide ticket dinosaur question
fixing a flat bicycle tyre: pump patch wheel lever glue road
eating less sugar: label snack fruit breakfast craving dessert
a power cut in the evening: candle torch fridge neighbour darkness battery
growing herbs on a windowsill: basil pot soil leaf scissors flavour
joining a choir: voice rehearsal concert conductor song friendship
watching birds in winter: feeder seed robin branch window binoculars
a school trip to a farm: cow tractor teacher bus barn milk
organising a bookshelf: novel author shelf order dust corner
a long drive with the family: map snack seat game petrol motorway
making a paper kite: string wind tail stick field sky
losing a phone: pocket screen password number taxi call
babysitting for the first time: bedtime toy story bottle parent nap
ironing a shirt: collar steam sleeve board button crease
a village football match: ball goal referee whistle crowd pitch
recycling at home: bottle bin paper label glass habit
baking cookies with children: butter chocolate tray oven mess apron
visiting the dentist: tooth chair appointment toothbrush pain smile
taking better photographs: light camera lens angle moment background
a bakery that opens before dawn: baker bread smell customer oven street
how to make a good cup of tea: kettle leaf cup milk minute temperature
a garden shared by the whole street: fence seed tool neighbour compost flower
learning to knit a scarf: wool needle stitch pattern colour winter
preparing for a job interview: suit question handshake company answer nerve
sleeping better: pillow bed screen curtain noise bedtime
a visit from an old friend: airport memory dinner laughter photograph sofa
buying a used car: engine mileage dealer price tyre contract
running a lemon cake stall: cake price table queue slice coin
helping an elderly neighbour: shopping stair conversation visit key kindness
a trip to the seaside: sand wave shell towel gull ice
keeping houseplants alive: leaf pot water window root soil
doing homework on time: desk teacher deadline exercise pencil break
a broken washing machine: repair water laundry plumber drum bill
cooking for a large family: pot recipe table rice portion helper
planting a tree: spade root hole water shade branch
volunteering at an animal shelter: dog cage walk food visitor blanket
a street musician: violin hat coin corner melody crowd
drinking more water: glass bottle thirst habit kidney lemon
building a birdhouse: wood nail roof saw paint nest
a noisy office: headphone door meeting phone focus desk
a letter that arrived too late: envelope date postman apology stamp mailbox
learning to cook rice: pot lid water grain minute stove
a bus driver who knows everyone: route stop passenger ticket smile morning
hosting a board game night: dice card rule snack winner table
getting a first haircut: scissors mirror barber comb chair cape
cycling to school: helmet lane bell rain lock bag
a cafe with only three tables: coffee menu waiter chair window cake
finding a hobby after retirement: club workshop garden travel friend calendar
a rabbit in the vegetable patch: lettuce fence carrot garden hole evening
making soap at home: oil mould scent glove bar safety
the last day of summer: beach sunset ice school suntan goodbye
a bridge closed for repairs: detour traffic worker sign river week
""")
NEW_TOPICS = _read("""
keeping bees on a roof: hive honey queen smoke flower sting
repairing an old wristwatch: spring dial strap battery second jeweller
a ferry across the river: captain deck ticket rope tide engine
learning to bake pizza: dough tomato cheese oven slice crust
a lighthouse on a small island: lamp storm keeper ship stair rock
growing mushrooms in a cellar: spore straw humidity box darkness harvest
an evening class in pottery: clay wheel glaze kiln bowl apron
looking after a goldfish: tank filter pebble food water bowl
a night at a mountain hut: boot soup bunk summit blanket guide
a second-hand clothes shop: jacket hanger price mirror button bargain
making jam from plums: jar sugar pan label spoon stone
a skateboard park in the neighbourhood: ramp helmet trick wheel friend bench
how to wash a woollen sweater: basin soap towel temperature sleeve wool
a postman on his last round: bag letter gate dog farewell bicycle
choosing a birthday gift for a teacher: card flower budget ribbon book class
a clock that always runs late: tower hour bell repair village minute
""")

FORMS = (
    Form("post", ("Write a blog post about {topic}.", "Please write a short article about {topic} for my blog.")),
    Form("tips", ("Give me some practical tips about {topic}.", "I would like some advice about {topic}.")),
    Form("story", ("Tell me a story about {topic}.", "Write a short story about {topic}.")),
    Form("poem", ("Write a poem about {topic}.", "Could you compose a poem about {topic}?")),
    Form("email", ("Write an email to a friend about {topic}.", "Draft a friendly email about {topic}."), True),
    Form(
        "letter", ("Write a letter to the editor of a local newspaper about {topic}.", "Write a letter about {topic}.")
    ),
    Form("explain", ("Explain to a ten-year-old what matters about {topic}.", "What should I know about {topic}?")),
    Form("dialogue", ("Write a dialogue between two friends about {topic}.", "Write a conversation about {topic}.")),
    Form("advert", ("Write an advertisement about {topic}.", "I need a cheerful advert about {topic}."), True),
    Form("speech", ("Write a short speech about {topic}.", "I have to give a talk about {topic}. Please write it.")),
    Form("diary", ("Write a diary entry about {topic}.", "Write what somebody might put in a diary about {topic}.")),
    Form("guide", ("Write a step by step guide about {topic}.", "Write instructions for beginners about {topic}.")),
    Form("pros", ("What are the good and the bad sides of {topic}?", "Write about the pros and cons of {topic}.")),
    Form("review", ("Write a review of a book about {topic}.", "Write a newspaper review of a film about {topic}.")),
    Form(
        "invite",
        ("Write an invitation to an evening about {topic}.", "Invite my colleagues to a talk about {topic}."),
        True,
    ),
    Form(
        "notice", ("Write a notice for the notice board about {topic}.", "Write an announcement about {topic}."), True
    ),
    Form("essay", ("Write an essay about {topic}.", "Write a thoughtful essay on the subject of {topic}.")),
    Form("questions", ("Write a list of questions and answers about {topic}.", "Write a quiz about {topic}.")),
    Form("song", ("Write the lyrics of a song about {topic}.", "Write a cheerful song about {topic}.")),
    Form("report", ("Write a short news report about {topic}.", "Report about {topic} for a school newspaper.")),
)
