"""Offers, counter-offers, bookings, goodbyes and what follows a sale."""

from app.demo.words.pools import Pool
from domain.leads import LeadLostReason

OFFERS = Pool(
    (
        "{broker}, we are ready at {offer} for {unit}, payment as you like.",
        "Our offer for {unit} is {offer}. {relation_name} and I have slept over it.",
        "{offer} and we sign this week. That is for {unit} with {parking} parking.",
        "Take {offer} to {developer}. If yes, the {token} cheque goes out on {day}.",
        "If {unit} comes at {offer} we stop looking at {other_project}.",
    )
)

COUNTERS = Pool(
    (
        "Thank you {client}. {offer} is a distance from {price}; I think {counter} can be done. Shall I push?",
        "I spoke to {developer}: {counter} for {unit}, and they absorb the club fee.",
        "{senior} has got approval for {counter} on {unit}, valid till {date}.",
        "They came down to {counter}, {client}. In my view {unit} will not go lower.",
        "{developer} says {counter} with {plan}, or {offer} only if fully paid by {date}.",
    )
)

REQUESTS = Pool(
    (
        "{counter} is close. Add one more parking bay for {unit} and we are done.",
        "Fine at {counter} if {developer} waives the first year of maintenance on {unit}.",
        "Can they fix the wardrobes and AC in {unit} at {counter}?",
        "At {counter} we need {plan}, not the standard plan, because of our sale in {home}.",
        "{counter}, and the registration of {unit} split equally. Last ask, {broker}.",
    )
)

RESOLUTIONS = Pool(
    (
        "I have it in writing: {counter}, with what you asked for {unit}. Valid till {date}.",
        "{developer} agreed on everything but the AC. {counter} for {unit}, {client}?",
        "Approved by {senior}. {counter}, {plan}, and {parking} bays for {unit}.",
        "They will not move further than {counter}, but hold {unit} for you till {date}.",
        "Good news {client}: {counter} is final for {unit} and the extra bay is yours.",
    )
)

PAUSES = Pool(
    (
        "Give us till {day}, {adviser} is reading the agreement of {unit}.",
        "Let me talk to {relation} tonight. {counter} is a big number.",
        "My lawyer wants the title report of {project}. After that {counter} is okay.",
        "{bank} is valuing {unit} on {day}. Speak after that, {broker}.",
    )
)

BOOKINGS = Pool(
    (
        "{token} transferred for {unit}. Reference sent on mail.",
        "We are in, {broker}. Cheque of {token} for {unit} is ready, come at {time}.",
        "Done. {relation_name} signed too. {unit} it is, {token} gone by RTGS.",
        "Booking form of {unit} filled. {token} will reflect by {day}.",
    ),
    ("Muhurat is {day} {time}, we will sign for {unit} and hand {token} then.",),
    ("Manager's cheque of {token} for {unit} is with me, {day} {time} at your office.",),
)

CONGRATULATIONS = Pool(
    (
        "Congratulations {client} and {relation_name}! {unit} at {project} is yours.",
        "Received {token} for {unit}, thank you. Receipt and allotment follow by {date}. Welcome to {project}!",
        "Wonderful news. The whole team at {firm} wishes your family years of joy in {unit}.",
        "Booked: {unit}, {counter}. The agreement draft reaches you by {date}, {client}.",
    )
)

AFTERCARE = Pool(
    (
        "{client}, the agreement for {unit} is registered, copy on your mail.",
        "Progress at {tower}: {floor} slab cast. Photos of {unit} follow on {day}.",
        "The snagging visit for {unit} can be on {day} at {time}.",
        "Your next instalment for {unit} falls on {date}, {client}. The demand letter is on mail.",
        "{developer} opens the club at {project} on {date}, you and {relation_name} are invited.",
    )
)

AFTERCARE_REPLIES = Pool(
    (
        "Thanks {broker}, paid. Please confirm for {unit}.",
        "Received. {relation_name} wants to change the tiles in {unit}, whom do we ask?",
        "Great service {broker}. My cousin is also looking in {locality}, I will connect you.",
        "We will come on {day} for {unit}, {heads} of us.",
        "Looks good. When do we get the keys of {unit}, still {possession}?",
    )
)

GOODBYES: dict[LeadLostReason, Pool] = {
    LeadLostReason.PRICE: Pool(
        (
            "{broker}, {price} for {unit} is beyond us after all. We are stopping here.",
            "We ran the numbers again, {counter} still does not work. Thank you for the effort on {unit}.",
            "The gap to {offer} is too big, so we drop {unit}. Sorry {broker}.",
        )
    ),
    LeadLostReason.COMPETITOR: Pool(
        (
            "We have booked at {other_project} on {past_day}, {broker}. Sorry, {relation_name} preferred the plan.",
            "Thank you for {unit}, but we signed for {other_project} through another broker.",
            "We took a resale in {locality} instead of {unit}. You were very helpful.",
        )
    ),
    LeadLostReason.TIMING: Pool(
        (
            "We are postponing the purchase to next year, {broker}. {unit} is not for now.",
            "My posting changed, so {project} has to wait. Please check with me after {month}.",
            "Family reasons, we pause the search in {locality} till {month}.",
        )
    ),
    LeadLostReason.UNREACHABLE: Pool(
        (
            "Hi {client}, I tried you on {past_day} as well. I release {unit} today and close my file for {project}.",
            "{client}, I have tried {few} times and not reached you. I am giving {unit} back to {developer}.",
            "Last message from my side, {client}: {unit} goes back on the list on {date}.",
        )
    ),
    LeadLostReason.OTHER: Pool(
        (
            "We decided to renovate our place in {home} instead of {unit}, {broker}.",
            "{relation_name} does not want to leave {home}. So no {project} for us.",
            "The family will invest elsewhere, {unit} is off. Thank you {broker}.",
        )
    ),
}

FAREWELLS = Pool(
    (
        "Thank you for telling me, {client}. I will keep {locality} in mind for you.",
        "Understood {client}. If {unit} changes price I will write once, not more.",
        "All the best to you and {relation_name}. My number stays the same, {client}.",
        "No problem at all. I will check in after {month}, {client}.",
    )
)

FAMILY = Pool(
    (
        "{broker}, {relation_name} here. Can you send me the plan of {unit} too?",
        "My parents want to see {project} on {day}. They are slow walkers.",
        "{adviser} will call you about the papers of {unit}, please share what he asks.",
        "{relation} asks whether {unit} can take a home theatre.",
        "We showed {unit} to my in-laws on video. They ask about power backup at {project}.",
        "The children saw the pool of {project}. It is decided for them!",
    )
)

FAMILY_ANSWERS = Pool(
    (
        "Of course. Sent to {relation_name} on mail, {unit} with all dimensions.",
        "A buggy and two chairs will wait at {project} on {day}, {client}.",
        "Shared the title report and permit {permit} with {adviser} just now.",
        "Yes, the family room of {unit} is {room} ft, a theatre fits with the door closed.",
        "Full backup at {project}, lifts and one AC included. Please tell them, {client}.",
        "Happy to do a second video of {unit} for them, {day} {time}.",
    )
)
