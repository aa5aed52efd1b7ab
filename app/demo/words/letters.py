"""What is written down: e-mails, notes, task titles, property remarks and the notes on a stage change."""

from app.demo.words.pools import Pool

EMAIL_SUBJECTS: dict[str, Pool] = {
    "brochure": Pool(
        (
            "{project}: brochure and floor plan of {unit}",
            "Plans you asked for: {unit} at {project}",
            "{config} in {locality}: {unit} and {other_unit}",
        )
    ),
    "cost_sheet": Pool(
        (
            "Cost sheet for {unit}, {project}",
            "{unit}: price break-up and payment plan ({plan})",
            "Revised numbers for {unit}, valid till {date}",
        )
    ),
    "offer": Pool(
        ("Offer for {unit}: {offer}", "Our terms for {unit} at {project}", "{unit}, {project}: offer and conditions")
    ),
    "booking": Pool(
        (
            "Allotment of {unit}, {project}: next steps",
            "{unit}: receipt for {token} and draft agreement",
            "Welcome to {project}: documents for {unit}",
        )
    ),
}

EMAIL_BODIES: dict[str, Pool] = {
    "brochure": Pool(
        (
            (
                "Dear {client},\n\nattached are the brochure of {project} and the plan of {unit}: {config}, "
                "{size} sq ft, {view}. {school} is {minutes} minutes away. I am at the gallery on {day} if you want "
                "to see it.\n\nKind regards\n{broker}\n{firm}"
            ),
            (
                "Hello {client},\n\nas discussed, plans of {unit} and {other_unit}. Both have {parking} bays. "
                "Possession is {possession}.\n\nBest\n{broker}, {firm}"
            ),
        )
    ),
    "cost_sheet": Pool(
        (
            (
                "Dear {client},\n\n{unit} at {project}\nPrice: {price} ({rate} a sq ft)\nParking: {parking} bays "
                "included\nPlan: {plan}\nBooking amount: {token}\nValid till: {date}\n\nKind regards\n{broker}\n{firm}"
            ),
            (
                "Hello {client},\n\nhere is the break-up for {unit}: {price} plus {tax}. Running cost {monthly} a "
                "month. {bank} funds up to {share} of it.\n\nBest\n{broker}, {firm}"
            ),
        )
    ),
    "offer": Pool(
        (
            (
                "Hi {broker},\n\nour offer for {unit} is {offer} on {plan}, with {parking} bays. "
                "It stands till {date}. Please bring it to {developer}.\n\n{client}"
            ),
            (
                "Dear {broker},\n\n{relation_name} and I can do {offer} for {unit}. On our side the papers "
                "go to {adviser}.\n\nRegards\n{client}"
            ),
        )
    ),
    "booking": Pool(
        (
            (
                "Dear {client},\n\nwe received {token} for {unit}. Attached: receipt, draft agreement, list of "
                "documents. Signing is planned for {date}.\n\nWith best wishes\n{broker}\n{firm}"
            ),
            (
                "Dear {client} and {relation_name},\n\n{unit} at {project} is allotted to you at {counter}. "
                "The next instalment is due on {date}.\n\nKind regards\n{broker}, {firm}"
            ),
        )
    ),
}

EMAIL_SUMMARIES: dict[str, Pool] = {
    "brochure": Pool(("Sent brochure and plan of {unit}.", "Plans of {unit} and {other_unit} mailed.")),
    "cost_sheet": Pool(("Sent cost sheet of {unit}, {price}.", "Price break-up of {unit} mailed, valid till {date}.")),
    "offer": Pool(("{client} offered {offer} for {unit} by mail.", "Written offer received for {unit}: {offer}.")),
    "booking": Pool(("Allotment papers of {unit} mailed.", "Receipt for {token} and draft agreement sent.")),
}

NOTES = Pool(
    (
        "{client} decides together with {relation_name}; speak to both before numbers.",
        "Keep {unit} and {other_unit} ready. {client} compares everything per sq ft.",
        "{client} prefers messages before {time}; calls only on {day}.",
        "Family uses {bank}. Papers of {project} go through {adviser}.",
        "Liked {view}. Mentioned {other_project} twice, so {locality} is not settled.",
        "Two cars, a {pet} and {heads} people. {parking} bays are a must at {project}.",
        "{client} knows {referrer}. Good word travelled; mention it with care.",
        "Children at {school}. Any move has to fit the school year.",
        "Price sensitive above {counter}. Do not open with {price}.",
        "Spoke to {developer} about {unit}: hold till {date} is fine.",
        "{client} sells in {home} first. Ask for the status in {month}.",
        "Handed over from the {project} desk on {past_day}; history read, file complete.",
    )
)

OPEN_TASKS: dict[str, Pool] = {
    "NEW": Pool(
        ("Call {client} back about {project}", "Send plan of {unit} to {client}", "First reply to {client}: {config}")
    ),
    "CONTACTED": Pool(
        (
            "Ask {client} for budget and timeline",
            "Follow up with {client} on {unit}",
            "Share {project} video with {client}",
        )
    ),
    "QUALIFIED": Pool(
        (
            "Fix a visit to {unit} with {client}",
            "Mail cost sheet of {unit} to {client}",
            "Shortlist 2 more in {locality}",
        )
    ),
    "VISIT": Pool(
        (
            "Collect feedback on {unit} from {client}",
            "Second visit to {project} with {relation_name}",
            "Revised sheet for {unit}",
        )
    ),
    "NEGOTIATION": Pool(
        (
            "Get {developer} to answer {offer} on {unit}",
            "Title papers of {project} to {adviser}",
            "Close {unit} with {client}",
        )
    ),
    "WON": Pool(
        (
            "Hand the agreement of {unit} to {client}",
            "Remind {client} of the instalment on {date}",
            "Snagging visit for {unit}",
        )
    ),
    "LOST": Pool(("Check in with {client} after {month}", "Ask {client} how the new home is")),
}

VISIT_TASKS = Pool(
    ("Show {unit} to {client} and {relation_name}", "Host {client} at {project}", "Open {unit} for {client}")
)

DONE_TASKS = Pool(
    (
        "Send brochure of {project} to {client}",
        "Call {client} at {time} about {unit}",
        "Confirm visit to {project} with {client}",
        "Get stack plan of {tower} for {client}",
        "Ask {bank} about funding for {unit}",
        "Check hold on {unit} with {developer}",
        "Forward school list near {project} to {client}",
    )
)

STAGE_NOTES: dict[str, Pool] = {
    "CONTACTED": Pool(("Replied, conversation open about {project}.", "First contact made, {config} wanted.")),
    "QUALIFIED": Pool(("Budget {budget} and need confirmed.", "Fits {project}: budget and timeline are clear.")),
    "VISIT": Pool(("Visit to {project} arranged, {unit} first.", "The family comes to see {unit}.")),
    "NEGOTIATION": Pool(("Offer on {unit}: {offer}.", "Terms for {unit} under discussion.")),
    "WON": Pool(("{unit} booked at {counter}.", "{token} received for {unit}.")),
    "LOST": Pool(("Closed: {unit} not going ahead.", "Lead on {project} ended.")),
}

REMARKS_OPENING = (
    "{bedrooms}-bedroom {kind} on the {floor} floor of {tower} with {view}.",
    "A {facing}-facing {kind} of {size} sq ft in {locality}, minutes from {landmark}.",
    "{project} by {developer}: {kind} with {bedrooms} bedrooms and {view}.",
    "Rarely offered {kind} in {project}, {locality}, planned around {view}.",
)

REMARKS_MIDDLE = (
    "The living room runs the full width to a deep deck; the kitchen has its own utility and service entry.",
    "Bedrooms are set apart from the entertaining rooms, and every one has its own bath.",
    "Stone floors in the formal rooms, oak in the bedrooms, air conditioning concealed throughout.",
    "A study, a family room and a staff room complete the plan; {parking} parking bays are included.",
    "Double-height entrance, private lift lobby and a powder room for guests.",
)

REMARKS_ENDING = (
    "Residents share a pool, a gymnasium, a library and gardens. Handover {possession}.",
    "The club has a lap pool, a spa, courts and a children's floor. Handover {possession}.",
    "Two basements of parking, full power backup and round-the-clock security. Handover {possession}.",
    "Landscaped by the water, with guest suites and a residents' lounge. Handover {possession}.",
)
