"""What clients say that is worth remembering: budgets, timelines, preferences and objections, each with its quote."""

from app.demo.words.pools import Pool, Saying
from domain.interactions import ObjectionKind
from domain.people import FactKind

BUDGETS: tuple[Saying, ...] = (
    Saying(
        FactKind.BUDGET,
        "Budget about {budget}, everything included.",
        Pool(
            (
                "We have kept [[{budget} all inclusive]] for this, {broker}.",
                "Our number is [[around {budget}, registration included]]. Is {project} possible?",
                "To be open, [[we cannot cross {budget} with everything]].",
            )
        ),
    ),
    Saying(
        FactKind.BUDGET,
        "Can go up to {budget} for the right home.",
        Pool(
            (
                "For the right {config} [[we can stretch to {budget}]], not for a compromise.",
                "[[{budget} is the ceiling]], and only if {relation_name} loves it.",
                "I told {relation} [[the limit is {budget}]]. Keep {project} within that.",
            )
        ),
    ),
    Saying(
        FactKind.BUDGET,
        "Working with {budget}, part of it from a sale.",
        Pool(
            (
                "We are selling our old place, so [[{budget} comes together by {month}]].",
                "[[Say {budget}, half of it after our flat in {home} is sold]].",
            )
        ),
    ),
    Saying(
        FactKind.BUDGET,
        "Has {budget} approved by the family office.",
        Pool(
            (
                "The family office has [[cleared {budget} for {locality}]].",
                "[[{budget} is sanctioned from our side]], the rest depends on the unit.",
            )
        ),
    ),
)

TIMELINES: tuple[Saying, ...] = (
    Saying(
        FactKind.TIMELINE,
        "Wants to move in before {month}.",
        Pool(
            (
                "School starts in {month}, so [[we need to be in before {month}]].",
                "[[We want the keys before {month}]], otherwise we renew our lease.",
                "{relation_name} is firm that [[we shift by {month}]].",
            )
        ),
    ),
    Saying(
        FactKind.TIMELINE,
        "Will decide by {date}.",
        Pool(
            (
                "[[We will take a call by {date}]], {broker}. Please do not push before that.",
                "I am back on {date} and [[will close one way or the other that week]].",
                "[[Give us till {date} to decide on {unit}]].",
            )
        ),
    ),
    Saying(
        FactKind.TIMELINE,
        "In no hurry, fine with possession in {possession}.",
        Pool(
            (
                "[[No hurry from our side, {possession} is fine]] if {unit} comes at the right price.",
                "{unit} would be for our son, [[so {possession} suits us]], {broker}.",
            )
        ),
    ),
    Saying(
        FactKind.TIMELINE,
        "Lease ends in {month}, wants something ready.",
        Pool(
            (
                "[[Our lease ends in {month}]] and I do not want to move twice. Is {unit} safe, {broker}?",
                "The landlord in {home} wants the flat back, [[we have till {month}]]. Can {project} work, {broker}?",
            )
        ),
    ),
)

PREFERENCES: tuple[Saying, ...] = (
    Saying(
        FactKind.PREFERENCE,
        "Wants a high floor, {floor} or above.",
        Pool(
            (
                "[[Nothing below the {floor} floor]] please, {broker}.",
                "{relation_name} wants height, [[{floor} floor or more]].",
            )
        ),
        villa=False,
    ),
    Saying(
        FactKind.PREFERENCE,
        "Wants {view}.",
        Pool(
            (
                "For {relation_name} [[it has to be {view}]], so tell me honestly about {unit}.",
                "I would pay more than {budget} [[if the living room has {view}]].",
            )
        ),
    ),
    Saying(
        FactKind.PREFERENCE,
        "Needs a room for the parents on the entry level.",
        Pool(
            (
                "My parents stay with us, so [[one bedroom must be near the entrance]]. Which one in {unit}?",
                "[[My father cannot do stairs]], keep that in mind for {unit} at {project}, {broker}.",
            )
        ),
    ),
    Saying(
        FactKind.PREFERENCE,
        "Prefers few flats to a floor and a private lobby.",
        Pool(
            (
                "{relation_name} and I value privacy, [[not more than two flats on a floor]]. How is {project}?",
                "[[A private lift lobby matters more to us than the club]]. Does {unit} have one, {broker}?",
            )
        ),
        villa=False,
    ),
    Saying(
        FactKind.PREFERENCE,
        "Works from home and needs a quiet study.",
        Pool(
            (
                "I take calls at night, [[I need a study away from the bedrooms]]. Mark it in {unit} please.",
                "[[One quiet room for work]] is a must for {relation_name} or me, at {project} too.",
            )
        ),
    ),
    Saying(
        FactKind.PREFERENCE,
        "Wants to be within twenty minutes of {school}.",
        Pool(
            (
                "[[{school} should be within twenty minutes]], that is {relation_name}'s first filter.",
                "The children are at {school}, [[we will not change the school]]. Is {project} {minutes} minutes away?",
            )
        ),
    ),
    Saying(
        FactKind.PREFERENCE,
        "Insists on a {facing}-facing entrance (vastu).",
        Pool(
            (
                "[[The main door has to face {facing}]], my mother will not enter {unit} otherwise, {broker}.",
                "Vastu is not optional for {relation_name}, [[{facing} entrance only]]. Please check {unit}.",
            )
        ),
        gulf=False,
    ),
    Saying(
        FactKind.PREFERENCE,
        "Wants a pooja room.",
        Pool(
            (
                "[[A separate pooja room]] please, not a shelf. Where would it go in {unit}?",
                "{relation_name} asks first [[where the pooja room is]].",
            )
        ),
        gulf=False,
    ),
    Saying(
        FactKind.PREFERENCE,
        "Wants a majlis apart from the family living room.",
        Pool(
            (
                "[[We need a majlis with its own entrance]] for guests. Show me where in {unit}, {broker}.",
                "Guests come every week, [[the majlis must be separate from the family side]]. Is it so in {unit}?",
            )
        ),
        india=False,
    ),
    Saying(
        FactKind.PREFERENCE,
        "Buys for residency: both names on the title.",
        Pool(
            (
                "[[Both our names on the title]] of {unit}, {relation_name} and mine, it is for the residency.",
                "For {relation_name} and me [[the residence visa is the reason to buy]], size is second at {project}.",
            )
        ),
        india=False,
    ),
)

OBJECTIONS: tuple[Saying, ...] = (
    Saying(
        FactKind.OBJECTION,
        "Finds {rate} a sq ft too high for {locality}.",
        Pool(
            (
                "Honestly, [[{rate} a square foot is too much for {locality}]].",
                "[[The price is above what {other_project} closed at]], {broker}.",
                "I like {unit}, but [[{price} is more than we planned]].",
            )
        ),
        ObjectionKind.PRICE,
    ),
    Saying(
        FactKind.OBJECTION,
        "Sees the extra charges as hidden cost.",
        Pool(
            (
                "[[Parking and club on top feel like hidden costs]] at {project}.",
                "Every call has a new number. [[I do not want surprises after {price}]].",
            )
        ),
        ObjectionKind.PRICE,
    ),
    Saying(
        FactKind.OBJECTION,
        "Worried about the drive from {locality}.",
        Pool(
            (
                "[[The evening traffic from {locality} worries us]], I would lose two hours a day.",
                "{relation_name} says [[{locality} is too far from her parents]].",
                "[[The approach road near {landmark} is narrow]], I saw it on {past_day}.",
            )
        ),
        ObjectionKind.LOCATION,
    ),
    Saying(
        FactKind.OBJECTION,
        "Doubts that {developer} delivers by {possession}.",
        Pool(
            (
                "[[I do not believe {possession}]], nobody in {city} keeps such dates.",
                "Everybody says on time. [[What if {developer} slips by a year]]?",
                "[[{possession} is too late for us]], we need something nearer.",
            )
        ),
        ObjectionKind.TIMING,
    ),
    Saying(
        FactKind.OBJECTION,
        "Wants proof of what {developer} has delivered.",
        Pool(
            (
                "[[We have not heard of {developer} before]]. What have they finished?",
                "My lawyer is not comfortable, [[he wants to see the title papers of {project} first]].",
            )
        ),
        ObjectionKind.TRUST,
    ),
    Saying(
        FactKind.OBJECTION,
        "Finds the plan of {unit} wasteful.",
        Pool(
            (
                "[[The corridor in {unit} eats too much space]], the bedrooms feel small.",
                "[[Kitchen is too close to the entrance]] in the plan of {unit}, {broker}.",
                "We cook a lot, and [[{unit} has no proper utility]].",
            )
        ),
        ObjectionKind.LAYOUT,
    ),
    Saying(
        FactKind.OBJECTION,
        "Loan sanction is short of what {unit} needs.",
        Pool(
            (
                "[[{bank} will fund only {share} of it]], the rest we must arrange.",
                "[[The {plan} plan does not match my cash flow]], I get paid in {month}.",
                "With rates where they are [[the instalment is heavy for us]].",
            )
        ),
        ObjectionKind.FINANCE,
    ),
    Saying(
        FactKind.OBJECTION,
        "The wider family is not convinced yet.",
        Pool(
            (
                "[[My parents are not convinced about a tower]], they have lived in a house all their life.",
                "[[Our family astrologer asked us to wait till {month}]]. Can {unit} wait, {broker}?",
            )
        ),
        ObjectionKind.OTHER,
        gulf=False,
    ),
    Saying(
        FactKind.OBJECTION,
        "Considering renting for another year instead.",
        Pool(
            (
                "[[Renting one more year costs us less]] than closing {unit} now, {broker}.",
                "[[My company may move me in {month}]], so I am careful with {unit}.",
            )
        ),
        ObjectionKind.OTHER,
        india=False,
    ),
)
