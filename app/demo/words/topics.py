"""The questions that buyers of expensive homes ask, and what brokers answer."""

from app.demo.words.pools import Pool, Topic

EVERYWHERE: tuple[Topic, ...] = (
    Topic(
        "price",
        Pool(
            (
                "What is the all-in price of {unit}?",
                "{price} for {unit}, does that include parking and club?",
                "How much per sq ft is {project} on the {floor} floor?",
                "Has anybody paid {rate} a sq ft at {project} recently?",
                "Is {price} the last price for {unit}, {broker}?",
            )
        ),
        Pool(
            (
                "{unit} is {price}, about {rate} a sq ft. Club and {parking} bays are inside that figure.",
                "All-in for {unit}: {price} plus {tax}. I am mailing the break-up now.",
                "The last two on the {floor} floor closed near {rate} a sq ft, {client}. {unit} asks {price}.",
                "{price} is the list. For a clean payment by {date} I can speak to {developer}.",
            )
        ),
    ),
    Topic(
        "possession",
        Pool(
            (
                "When exactly is possession at {project}?",
                "Is {possession} a promise or an estimate for {tower}?",
                "How far is the construction of {tower} now?",
                "What if {developer} is late beyond {possession}?",
            )
        ),
        Pool(
            (
                "{possession} is in the agreement for {project}, with compensation after a grace of six months.",
                "{tower} is at the {floor} slab. {developer} is about {few} weeks ahead of plan.",
                "Handover of {unit} is {possession}. Snagging visits begin {few} weeks before.",
                "{developer} was on time twice in {city}, {client}, and {possession} for {project} is the same team.",
            )
        ),
    ),
    Topic(
        "parking",
        Pool(
            (
                "How many car parks come with {unit}?",
                "We have {cars} cars. Is that possible at {project}?",
                "Is the parking of {unit} side by side or stacked?",
                "Any EV charging point near the bays of {tower} at {project}?",
            )
        ),
        Pool(
            (
                "{parking} bays with {unit}, side by side in basement 1 of {tower}. One more can be bought.",
                "{unit} carries {parking} covered bays with EV points, {minutes} steps from the door.",
                "For {cars} cars I would ask {developer} for the corner bays of {tower}, they did it for {other_unit}.",
                "Not stacked, {client}. {parking} independent bays for {unit}, lift lobby {minutes} metres away.",
            )
        ),
    ),
    Topic(
        "school",
        Pool(
            (
                "Which school is closest to {project}? Our daughter is in grade {grade}.",
                "How long is the drive to {school} in the morning from {project}?",
                "Does the {school} bus stop at {project}?",
                "{relation_name} wants to be near {school}. Is {locality} practical?",
            )
        ),
        Pool(
            (
                "{school} is {minutes} minutes from {project}, and their bus stops at the gate.",
                "From {project} it is {minutes} minutes to {school} before 8, I drove it last week.",
                "{families} families in {tower} send children to {school}. I can connect you with one.",
                "For grade {grade} admissions {school} closes forms on {date}, so {locality} makes sense now.",
            )
        ),
    ),
    Topic(
        "view",
        Pool(
            (
                "What do you see from the living room of {unit}?",
                "Will the plot in front of {tower} be built on?",
                "Is the view of {unit} the same as {other_unit}?",
                "At what time does {unit} get sun?",
            )
        ),
        Pool(
            (
                "{unit} has {view} from the living room and the main bedroom.",
                "The plot before {tower} is capped at low rise, so the {floor} floor keeps {view}.",
                "{unit} faces {facing}: sun till about {time}, then shade on the deck.",
                "{other_unit} looks sideways, {unit} straight at {landmark}. I will send both photos, {client}.",
            )
        ),
    ),
    Topic(
        "area",
        Pool(
            (
                "Is {size} sq ft the carpet or the built-up of {unit}?",
                "What is the usable area of the {config} at {project}?",
                "How big is the master bedroom in {unit}?",
                "Ceiling height at {project}? We have tall shelves.",
            )
        ),
        Pool(
            (
                "{size} sq ft for {unit} as sold, carpet {carpet}. The plan I sent has every room.",
                "Carpet of {unit} is {carpet} sq ft and the deck is on top of that.",
                "Master of {unit} is about {room} ft, with a walk-in. Clear height {height} ft at {project}.",
                "Floor to floor {height} ft in {tower}. Your shelves will be fine, {client}.",
            )
        ),
    ),
    Topic(
        "plan",
        Pool(
            (
                "What is the payment plan at {project}?",
                "Can {unit} be on {plan}?",
                "How much has to be paid by {date} for {unit}?",
                "Is there a discount if we pay half upfront for {unit}?",
            )
        ),
        Pool(
            (
                "{project} is on {plan}. For {unit} that means {token} now and the next slab on {date}.",
                "{plan} is possible for {unit} if the form is in by {date}.",
                "Booking {token}, then construction linked till {possession}. {developer} is flexible on dates.",
                "With half upfront {developer} takes about {saving} off {unit}.",
            )
        ),
    ),
    Topic(
        "charges",
        Pool(
            (
                "What are the monthly charges at {project}?",
                "How much is maintenance for {size} sq ft?",
                "Any transfer or club fee on top for {unit}?",
                "Who runs the building after handover of {project}?",
            )
        ),
        Pool(
            (
                "Service charge at {project} is {charge} a sq ft, so about {monthly} for {unit}.",
                "Club is included for {people_count} people at {project}; only {charge} a sq ft is payable.",
                "{developer} runs {project} for the first two years, {charge} a sq ft, then the owners decide.",
                "No transfer fee on first sale of {unit}. Running cost {monthly} with a full staff.",
            )
        ),
    ),
    Topic(
        "finishing",
        Pool(
            (
                "Is {unit} furnished or bare?",
                "Which kitchen brand comes in {project}?",
                "Can we change the layout of {unit} before handover?",
                "Marble or tile in the {config} at {project}?",
            )
        ),
        Pool(
            (
                "{unit} comes with stone floors, fitted kitchen and wardrobes. Loose furniture is yours.",
                "{developer} allows internal changes at {unit} till {date}, your architect can send drawings.",
                "Two finishes at {project}, light oak and walnut. {unit} is still unallocated.",
                "Marble in living and dining of {unit}, engineered oak in the bedrooms.",
            )
        ),
    ),
    Topic(
        "staff",
        Pool(
            (
                "Does {unit} have a staff room with its own bath?",
                "Is there a separate service lift in {tower}?",
                "Where do drivers wait at {project}?",
                "We have two live-in staff. Does {unit} manage?",
            )
        ),
        Pool(
            (
                "Yes, {unit} has a staff room with bath off the utility, own entry from the service lobby.",
                "{tower} of {project} has a service lift apart from the {lifts} passenger lifts, {client}.",
                "There is a drivers' lounge at {project} on basement 1, {parking} bays away from your lobby.",
                "The {size} sq ft plan at {project} sleeps two staff, I will mark it on the drawing.",
            )
        ),
    ),
    Topic(
        "resale",
        Pool(
            (
                "If we rent {unit} out, what does it bring?",
                "How have prices moved in {locality}?",
                "Who is buying at {project}, end users or investors?",
                "Can {unit} be sold before possession?",
            )
        ),
        Pool(
            (
                "A {config} at {project} rents for about {rent} a year today, close to {yield_rate} percent.",
                "{locality} moved {growth} percent in two years. {project} opened at {old_rate} a sq ft.",
                "At {project} about {families} of the first buyers live there or will, the rest hold.",
                "You may assign {unit} after {paid} percent is paid, {developer} issues the letter in {few} weeks.",
            )
        ),
    ),
    Topic(
        "pets",
        Pool(
            (
                "We have a {pet}. Is {project} fine with that?",
                "Are pets allowed in the lifts of {tower} at {project}, {broker}?",
                "Is there a place to walk a {pet} near {project}?",
            )
        ),
        Pool(
            (
                "{project} is pet friendly, there is a run near {landmark} and pets use the service lift of {tower}.",
                "Your {pet} is welcome. {families} homes in {tower} have one.",
                "Walking track around {project} is {track} km, {pet}s on a leash.",
            )
        ),
    ),
)

INDIA: tuple[Topic, ...] = (
    Topic(
        "vastu",
        Pool(
            (
                "Is {unit} vastu compliant? My mother will ask first.",
                "Which way does the main door of {unit} face?",
                "Is the kitchen of {unit} in the south-east?",
                "Our vastu person says no south entrance. What is {unit}?",
            )
        ),
        Pool(
            (
                "{unit} has a {facing} entry and a south-east kitchen, {client}. I will send the plan with directions.",
                "Main door of {unit} opens {facing}. The consultant of {other_unit} cleared the same stack.",
                "Pooja niche is in the north-east of {unit}. I can meet your consultant at {project} on {day}.",
                "In {tower} only the 02 stack faces south. {unit} is {facing}.",
            )
        ),
    ),
    Topic(
        "registration",
        Pool(
            (
                "What is the RERA number of {project}?",
                "Stamp duty for {unit}, if it is in {relation_name}'s name?",
                "Is the OC received for {tower}?",
                "Does {project} have approval from {bank}?",
            )
        ),
        Pool(
            (
                "RERA of {project} is on the cost sheet, permit {permit}. You can check it on the state site.",
                "Stamp duty and registration on {unit} come to about {tax_amount}, a little less in a woman's name.",
                "Part OC is in for {tower} up to the {floor} floor, the rest before {possession}.",
                "{bank} has {project} on its approved list, letter takes {few} working days.",
            )
        ),
    ),
    Topic(
        "non-resident",
        Pool(
            (
                "We are NRIs. Can {unit} be paid from an NRE account?",
                "My brother in Dubai will co-own {unit}. Any problem?",
                "What TDS do we deduct on {price}?",
            )
        ),
        Pool(
            (
                "Yes, NRE or NRO both work for {unit}. {bank} does this weekly, I will connect you.",
                "Co-ownership with an NRI is fine, a power of attorney covers {project} paperwork till {possession}.",
                "One percent TDS on {price}, paid on your PAN. My back office files the form for {unit}.",
            )
        ),
    ),
)

GULF: tuple[Topic, ...] = (
    Topic(
        "visa",
        Pool(
            (
                "Does {unit} qualify us for the long-term residence visa?",
                "If {relation_name} is co-owner, do both get the visa with {unit}?",
                "How soon after booking {project} can we apply for residency?",
                "Is the visa possible while {project} is still off-plan?",
            )
        ),
        Pool(
            (
                "At {price} {unit} is above the property threshold for long-term residency, {client}.",
                "Spouses can be sponsored on one title. For {unit} put both names, {share} each, to be safe.",
                "After {paid} percent is paid on {unit} the registration lets you apply, about {few} weeks.",
                "Our residency desk did {families} files from {project} this year. I will introduce you on {day}.",
            )
        ),
    ),
    Topic(
        "transfer",
        Pool(
            (
                "What are the transfer fees on {unit}?",
                "Is {project} freehold for our nationality?",
                "Is the money for {unit} in escrow?",
                "Can a company own {unit}?",
            )
        ),
        Pool(
            (
                "Registration on {unit} is about {tax_amount}, {developer} shares half of it till {date}.",
                "{project} is freehold for all buyers in {locality}, title comes with handover {possession}.",
                "Every instalment of {unit} goes to the escrow of {project} at {bank}, permit {permit}.",
                "Yes, a local or offshore company can hold {unit}. {bank} asks for {few} documents.",
            )
        ),
    ),
    Topic(
        "cooling",
        Pool(
            (
                "Is district cooling included at {project}?",
                "What is the summer bill like for {size} sq ft?",
                "Is {unit} exposed to the west?",
            )
        ),
        Pool(
            (
                "Cooling at {project} is metered, about {monthly} in July for a unit like {unit}.",
                "{unit} faces {facing} with deep overhangs, the west side of {tower} is only stairs.",
                "{developer} fixed the cooling tariff of {project} till {possession}.",
            )
        ),
    ),
    Topic(
        "rental guarantee",
        Pool(
            (
                "Does {developer} give a rental guarantee on {unit}?",
                "Short stays allowed at {project}?",
                "Net yield of {unit} after service charge?",
            )
        ),
        Pool(
            (
                "{developer} offers {yield_rate} percent for two years on {unit}, in the contract.",
                "Holiday homes are allowed in {tower} with a licence, our desk runs {families} of them.",
                "After {charge} a sq ft, {unit} nets close to {yield_rate} percent on {price}.",
            )
        ),
    ),
)


def topics(*, in_india: bool) -> tuple[Topic, ...]:
    """Return the questions that are asked in a region."""
    return EVERYWHERE + (INDIA if in_india else GULF)
