"""How conversations begin: the first message by source, the broker's reply, and what the client is after."""

from app.demo.words.pools import Pool
from domain.leads import LeadSource

OPENERS: dict[LeadSource, Pool] = {
    LeadSource.WEBSITE: Pool(
        (
            "Hi, I filled in the form for {project}. Is a {config} still available?",
            "Hello, saw {project} on your website. Could you share the price of {unit}?",
            "Good {part_of_day}, I am {client} from {home}. Please send details of the {config} at {project}.",
            "Hi, your site shows {size} sq ft for the {config} at {project}. Is that the final area?",
            "I was reading about {project} in {locality}. What is the handover date?",
            "Hello, I requested a callback about {unit} at {project}, {day} after {time} suits me.",
        ),
        ("Namaste, I enquired on your site for {config} in {locality}. Pls share cost sheet for {unit}.",),
        ("Salam, I registered on your page for {project}. Is {unit} sold or still with the developer?",),
    ),
    LeadSource.REFERRAL: Pool(
        (
            "Hello {broker}, {referrer} gave me your number. We are looking for a {config} in {locality}.",
            "Hi {broker}, {referrer} bought through you and speaks well of it. Anything like {project} left?",
            "Good {part_of_day} {broker}. {referrer} said you know {project} better than anyone.",
            "{broker}, this is {client}, a friend of {referrer}. Can we talk about {locality} this week, {day} maybe?",
        ),
        ("Hi {broker} ji, {referrer} ji suggested you for {project}. We need a {config} for the family.",),
        ("Salam {broker}, {referrer} told me you handle {project}. I would like to see the {config}.",),
    ),
    LeadSource.WALK_IN: Pool(
        (
            "Hi {broker}, we met at the {project} sales gallery on {past_day}. Please send what you showed us.",
            "Hello {broker}, {client} here, I came in with {relation} on {past_day}. Which tower was {unit} in?",
            "Thanks for the tour of the {project} gallery. Could you send the plan of the {config} of {size} sq ft?",
            "{broker}, you showed us {unit} on {past_day}. What was the price again?",
        ),
    ),
    LeadSource.CAMPAIGN: Pool(
        (
            "Hi, I saw your ad for {project} with the {plan} plan. Is it still on?",
            "Is the {project} offer in {locality} real? {config} from {price}?",
            "Saw the reel of {project}. Please send price and floor plan of the {size} sq ft one.",
            "Hello, the ad says {possession} for {project}. Is construction on time?",
            "Interested in {project} from your Instagram post. I am {client}, best time {time}.",
        ),
    ),
    LeadSource.PORTAL: Pool(
        (
            "Hi, regarding your listing {listing}: is it negotiable?",
            "Is {listing} in {locality} still available? I can see it on {day}.",
            "Hello, listing {listing} shows {price}. Does that include parking?",
            "I found {unit} at {project} on a portal. Are you the exclusive broker?",
            "Please share photos of the actual unit {unit}, the portal has only renders of {project}.",
        ),
    ),
    LeadSource.IMPORT: Pool(
        (
            "Hello, who is this? I got a message about {project}, {broker}.",
            "Yes, I had enquired in the past for {locality}. What do you have now, {broker}?",
            "Hi {broker}, I remember {project}. Prices must have moved since, what is {unit} at?",
        ),
    ),
    LeadSource.OTHER: Pool(
        (
            "Hi {broker}, got your card at the property show. {config} in {locality}, what is there?",
            "Hello, we spoke at the {bank} event about {project}. {client} here.",
            "Hi, I saw the hoarding near {landmark} for {project}. Is {possession} realistic?",
        ),
    ),
}

GREETINGS = Pool(
    (
        "Hi {client}, {broker} here from {firm}. {unit} at {project} is available: {config}, {size} sq ft, {price}.",
        "Good {part_of_day} {client}, thank you for writing. At {project} the {config} starts at {price}.",
        "Hello {client}, this is {broker}. Happy to help with {project}. May I know if it is for own use?",
        "Hi {client}! Yes, {unit} is open. {size} sq ft, {view}, {price}. Shall I send the plan?",
        "Thank you for reaching out, {client}. I look after {project} at {firm}. {config} or larger?",
        "Hello {client}, {project} in {locality} has {left} of the {config}s left, from {price}. Who would live there?",
        "Hi {client}, {broker} from {firm}. I can hold {unit} for you till {day} while you look at the plan.",
    ),
    (
        "Namaste {client} ji, {broker} from {firm}. {unit} at {project} is {price} plus registration. Own use?",
        "Hello {client} ji, {config} of {size} sq ft carpet at {project}, {price}. Shall we talk at {time}?",
    ),
    (
        "Salam {client}, {broker} from {firm}. {unit} at {project} is {price}, {plan} payment plan. End use or rental?",
        "Marhaba {client}, welcome. {project} has {left} of the {config}s left, handover {possession}.",
    ),
)

PITCHES = Pool(
    (
        "Then {unit} is the one to see: {view}, {parking} parking bays, {price}.",
        "Understood {client}. I would look at {unit} at {project} and, as a second, {other_unit}.",
        "Clear. I am sending the floor plan of {unit} and the stack plan of {tower}.",
        "Good to know. {floor} and above has {view}. {unit} is the last one at {rate} a sq ft.",
        "In that case {project} fits: {size} sq ft, {minutes} minutes to {landmark}, possession {possession}.",
        "Noted {client}. There are two that match, {unit} and {other_unit}. I will mail both cost sheets today.",
        "Then I suggest we skip {other_project} and look only at {project}. {unit} meets every point you gave.",
    ),
)

THANKS = Pool(
    (
        "Thanks {broker}, will go through it with {relation} and revert by {day}.",
        "Got it. Let me look at {unit} properly this {part_of_day}.",
        "Okay {broker}, send the cost sheet for {unit} on mail also please.",
        "Noted, {price} for {unit}. Will discuss at home.",
        "Thank you, that helps. I will call you {day} around {time}.",
        "Perfect {broker}, need a little time till {day}.",
        "Fine. Please do not share my number with others, {broker}. We will talk {day}.",
        "Received the plan of {unit}, thanks.",
        "Okay. {relation_name} will also message you about {project}.",
        "Let me compare with {other_project} and come back by {day}.",
    ),
    ("Ok {broker} ji, will check with family and tell you by {day}.",),
    ("Shukran {broker}, I will come back to you {day} inshallah.",),
)

ACKNOWLEDGEMENTS = Pool(
    (
        "Perfect {client}, speak {day}.",
        "Of course, take your time {client}. {unit} stays on hold till {date}.",
        "Noted {client}. I am on this number till {time} every day.",
        "Thank you {client}. Write any time, also about {other_project} or {locality} in general.",
        "Sure. I will call {day} around {time}, {client}.",
        "Good, {client}. I keep {unit} aside and message you on {date} if I hear nothing.",
        "Understood. Regards to {relation_name}, {client}.",
        "Great. Meanwhile I ask {developer} about {unit} and {other_unit}.",
    )
)

QUIET_NUDGES = Pool(
    (
        "Hi {client}, did you get a chance to look at {unit}? {left} left in that stack now.",
        "Good {part_of_day} {client}. The developer revises {project} prices on {date}; {unit} is still {price} today.",
        "Hello {client}, just checking if {relation_name} had questions on {project}.",
        "{client}, the show flat at {project} opens again from {date}. Shall I block {time} on {day} for you?",
        "Hi {client}, the progress video of {tower} at {project} for this month is out, {floor} slab is done.",
        "Dear {client}, no pressure at all. If {locality} is off your list, tell me and I look elsewhere.",
        "Hi {client}, a {config} at {other_project} came back to the market, close to your {budget}. Interested?",
        "{client}, {bank} has revised its rate for {project} buyers. I can ask for a letter till {date}.",
        "Hello {client}, may I keep {unit} on hold for you, or release it on {date}?",
    ),
)

QUIET_REPLIES = Pool(
    (
        "Sorry {broker}, travelling till {date}. Let us speak after that.",
        "Hi, still thinking. {relation_name} likes {project}, I am not fully sure.",
        "Yes saw it. Will tell you on {day}, {broker}.",
        "Please hold {unit} till {day} if you can.",
        "A bit busy with quarter end. Ping me on {date}?",
        "We were out for a wedding. {day} {time} call works.",
        "Not released yet, correct? Hold {unit}, I am speaking to {bank} tomorrow.",
        "Send me the {project} video here, I will show it to {relation}.",
    ),
)
