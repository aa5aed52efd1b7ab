"""What is said on the telephone: the broker's and the client's lines, by their place in a call."""

from app.demo.words.pools import Pool
from domain.interactions import ObjectionKind

HELLOS = Pool(
    (
        "Good {part_of_day} {client}, {broker} from {firm}. Is this a good moment to talk about {project}?",
        "Hi {client}, it is {broker}. You asked me on {past_day} to call about {unit}.",
        "Hello, am I speaking with {client}? This is {broker}, we wrote about {project}.",
        "{client}, {broker} here. I promised you the numbers for {unit}, do you have ten minutes?",
        "Good {part_of_day}, {broker} calling from {firm} about the {config} in {locality}.",
    ),
    ("Namaste {client} ji, {broker} from {firm}. Can we speak about {project} for a few minutes?",),
    ("Salam alaikum {client}, {broker} from {firm}. Is it a good time for {project}?",),
)

REPLIES = Pool(
    (
        "Yes {broker}, tell me. I am in the car, so go slowly with the numbers.",
        "Hi {broker}. Good timing, {relation_name} is next to me, I will put you on speaker.",
        "Yes, speaking. I looked at what you sent on {unit}.",
        "Sure, but I have a meeting at {time}.",
        "Hello {broker}. I wanted to ask you about {project} anyway.",
        "Go ahead. I have the plan of {unit} open in front of me.",
    )
)

RECORDING_NOTICE = Pool(
    (
        "As agreed, this call about {project} is recorded so that I do not lose what you tell me.",
        "A reminder, {client}: with your consent I am recording this for our notes on {unit}.",
        "You allowed us to record our calls, {client}. Tell me any time to stop it.",
    )
)

PROBES = Pool(
    (
        "Before I show more, what must the home have for {relation_name} and you?",
        "Tell me who will live there, and what bothers you in your place in {home}.",
        "If you picture a normal Tuesday in {unit}, what has to be right?",
        "What made you look at {locality} in the first place?",
        "Which of the homes that you saw so far came closest, and what was missing?",
    )
)

STORIES = Pool(
    (
        "We are {heads} at home, and the place in {home} has become small.",
        "It is for {relation} and me mostly, the children come for holidays.",
        "We rented for {few} years and want our own walls now, in {locality} if possible.",
        "I grew up near {landmark}, so {locality} is a bit of a return for me.",
        "We saw {other_project} and liked the lobby, but the plans were odd.",
        "My office moves closer to {locality} in {month}, that started it.",
    )
)

BUDGET_PROBES = Pool(
    (
        "And what range is comfortable for you, so that I do not waste your time?",
        "{unit} is {price}. Where does that sit against what you have in mind?",
        "May I ask about the budget, {client}? It stays between us.",
        "Is the money ready or does something have to be sold first?",
    )
)

TIMELINE_PROBES = Pool(
    (
        "By when would you want to be in?",
        "{project} hands over in {possession}. How does that fit your plans?",
        "Is there a date that drives this, a school or a lease?",
        "How soon do you and {relation_name} want to decide?",
    )
)

PREFERENCE_PROBES = Pool(
    (
        "What is the one thing you will not give up?",
        "Between size, height and view in {locality}, which comes first?",
        "Anything about the plan of {unit} that I should know is a must?",
        "And what does {relation_name} insist on?",
    )
)

OBJECTION_PROBES = Pool(
    (
        "What is holding you back on {unit}?",
        "You sound unsure, {client}. What is it?",
        "If you had to say no to {project} today, what would be the reason?",
        "What did {relation_name} say after seeing the papers of {unit}?",
    )
)

HANDLING: dict[ObjectionKind, Pool] = {
    ObjectionKind.PRICE: Pool(
        (
            "I understand. The last two registered near {rate} a square foot, I will send you both documents.",
            "Let us take {unit} apart: without club and bays it is {counter}. That is the figure to compare.",
            "Fair. {other_unit} has the same plan at {offer}, would you look at it before you decide?",
        )
    ),
    ObjectionKind.LOCATION: Pool(
        (
            "Drive it with me at {time} on {day}, {client}. I measured {minutes} minutes twice this week.",
            "The new link near {landmark} opens in {month}, it takes {few} signals off that road.",
            "{families} families of {tower} do that drive daily. Shall I connect you with one of them?",
        )
    ),
    ObjectionKind.TIMING: Pool(
        (
            "{possession} is in the agreement with a penalty. I will mark the clause for {unit}.",
            "I can show you the slab record of {tower}, they cast the {floor} floor {few} days early.",
            "If time matters most, {other_unit} is further along, with possession two quarters sooner.",
        )
    ),
    ObjectionKind.TRUST: Pool(
        (
            "{developer} handed over two projects in {city}, let us see one on {day} and ask the owners.",
            "Your lawyer gets the title file of {project} today, permit {permit} and the escrow letter too.",
            "Good question. I will send the completion certificates of {developer}, {few} of them.",
        )
    ),
    ObjectionKind.LAYOUT: Pool(
        (
            "The wall by the entrance of {unit} is not structural. {developer} moves it free before {date}.",
            "Then {other_unit} may suit you better, the corridor there is half as long.",
            "Bring your architect on {day}, {client}. {families} owners of {tower} changed exactly that.",
        )
    ),
    ObjectionKind.FINANCE: Pool(
        (
            "{bank} did {share} only because the valuation was old. I will have {unit} valued again by {date}.",
            "We can put {unit} on {plan}, so that the big part falls after {month}.",
            "Let me get you two more quotes besides {bank}, {client}. The difference is real.",
        )
    ),
    ObjectionKind.OTHER: Pool(
        (
            "No pressure. Let me hold {unit} till {date} while the family talks.",
            "May I meet them at {project} on {day}? Sometimes a walk helps more than a call.",
            "I will write down both options for {unit}, with numbers, and you decide in peace.",
        )
    ),
}

SOFTENED = Pool(
    (
        "If you put that in writing for {unit}, it is a different talk.",
        "Okay, that helps. Send it and I will show {relation_name}.",
        "Fair enough, {broker}. Then {unit} stays on the list.",
        "Alright, I can live with that if it is true for {tower}.",
    )
)

UNMOVED = Pool(
    (
        "Hmm. I hear you, but I am not there yet with {unit}.",
        "You would say that, {broker}. I need to think.",
        "That does not change it for me, not at {price}.",
        "Let me speak to {relation} first. I am not convinced about {project}.",
    )
)

NUMBERS = Pool(
    (
        "So I have two figures for {unit}: {price} on the list and {counter} if we close by {date}.",
        "{developer} came back on your {offer} for {unit}. They are at {counter}.",
        "On {plan} you would pay {token} now and the next part on {date} for {unit}.",
        "With {counter}, {unit} works out below {rate} a square foot.",
    )
)

BARGAINS = Pool(
    (
        "{offer} was not a joke, {broker}. What stops them?",
        "Take off the club fee and {counter} is fine for {unit}.",
        "If it is {counter}, I want {parking} bays and the date in the contract.",
        "Ask them once more for {offer} on {unit}. I will wait till {day}.",
        "{counter} with {plan}, and I bring the {token} on {day}.",
    )
)

NEXT_STEPS = Pool(
    (
        "Then I send the revised sheet for {unit} tonight, and we speak {day} at {time}.",
        "Good. I block {unit} till {date} and set up the visit for {day}.",
        "I will write down what you said and mail it, {client}. {day} {time} at {project}?",
        "Let me get {senior} on it and come back before {date} with a clear yes or no for {unit}.",
    )
)

FAREWELLS = Pool(
    (
        "Okay {broker}, {day} then. Thank you.",
        "Send it on mail and message me, I see that first. Bye {broker}.",
        "Perfect. Greet {senior} from me. Bye.",
        "Alright, {time} on {day}. Thanks for the patience, {broker}.",
        "Good, let me know about {unit}. Bye for now.",
    )
)

QUALIFYING_SUMMARIES = Pool(
    (
        "First long call with {client}: {config} in {locality}, about {budget}.",
        "Needs taken: {heads} people, {locality}, {budget}; {unit} fits best.",
        "{client} told the family's story and limits; {project} stays first choice.",
    )
)

BARGAINING_SUMMARIES = Pool(
    (
        "Price talk on {unit}: {offer} against {counter}.",
        "{client} holds at {offer} for {unit}; next word by {date}.",
        "Call on terms for {unit}: {plan}, {counter}, bays and dates.",
    )
)

CHECK_IN_SUMMARIES = Pool(
    (
        "Short check-in on {unit}; {client} decides after {date}.",
        "Called about {project}; family still comparing with {other_project}.",
        "{client} picked up briefly, asked to speak again {day} at {time}.",
    )
)

MISSED_SUMMARIES = Pool(
    (
        "No answer; left word about {unit}.",
        "Rang out. Will try {day} at {time}.",
        "Busy, cut the call. Message sent about {project}.",
    )
)
