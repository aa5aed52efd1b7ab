"""Arranging a visit, and what is said after it."""

from app.demo.words.pools import Pool

INVITATIONS = Pool(
    (
        "{client}, would you like to walk through {unit}? {day} {time} or {alt_day} {alt_time}?",
        "I can open {unit} at {project} for you on {day}. Is {time} fine?",
        "Photos do not do {view} justice. Come and see {unit} on {day} at {time}?",
        "Best time to see {unit} is {time}, the light is on {view} then. {day}?",
        "Shall we fix the visit at {project}? I have {day} {time} and {alt_day} {alt_time} open.",
        "The developer's architect is at {project} on {day}. {time} would be ideal for you, {client}.",
    )
)

COUNTERS = Pool(
    (
        "{day} is difficult, {alt_day} at {alt_time}?",
        "Can we do {alt_day} {alt_time} instead? {relation_name} wants to come too.",
        "{alt_day} works, {alt_time}. We will be {heads} people with the children.",
        "Make it {alt_time} on {alt_day}, I land in the morning, {broker}. {unit} first please.",
        "{alt_day} please, {broker}. And show {other_unit} also.",
        "Is {alt_day} {alt_time} possible? My parents will join to see {project}.",
    ),
    ("{alt_day} {alt_time}, after the pooja at home. {relation_name} will come.",),
    ("After Asr is better, {alt_day} {alt_time}.", "{alt_day} {alt_time}, not Friday midday please."),
)

CONFIRMATIONS = Pool(
    (
        "Confirmed: {alt_day} {alt_time}, {project} sales gallery, {locality}. I will wait at the gate.",
        "Done, {alt_day} at {alt_time}. Visitor pass for {project} is under your name, {client}.",
        "Booked for {alt_day} {alt_time}. Use the entry from {landmark}, bay {few} is kept for you.",
        "Great, {alt_day} {alt_time} it is. We see {unit} first, then {other_unit}.",
        "See you {alt_day}, {alt_time}. I have asked for golf carts as your parents are coming to {project}.",
        "Confirmed {alt_day} {alt_time}. {firm} will send a car if you like, tell me by evening.",
    )
)

REMINDERS = Pool(
    (
        "Good {part_of_day} {client}, a reminder for {project} at {alt_time}. The drive is {minutes} minutes today.",
        "See you at {alt_time} at {project}. {unit} is open and cooled for you.",
        "{client}, I will be at {project} well before you. Call me when you pass {landmark}.",
        "Weather is good for {view} today. See you {alt_time} at {project}, {client}.",
    )
)

ARRIVALS = Pool(
    (
        "On the way to {project}, {minutes} minutes.",
        "Leaving now, Google says {minutes} min to {project}.",
        "Near {landmark}, which gate of {project}, {broker}?",
        "Running {minutes} minutes late, sorry {broker}.",
        "Parking at {tower} of {project}. Coming up to you, {broker}.",
        "We are {heads}, same as told. Reaching {project} by {alt_time}.",
    )
)

AFTER = Pool(
    (
        "Thank you for coming to {project} today, {client}. What did the family feel about {unit}?",
        "It was lovely to host you and {relation_name} at {project}. Shall I send the video of {unit}?",
        "Thanks for your time today {client}. You stood longest at {view} in {unit}, I noticed.",
        "Good to meet everyone at {project}. My sense is {unit} over {other_unit}, am I right?",
        "Hope you reached home well, {client}. I kept {unit} on hold till {date}.",
    )
)

FEEDBACK = Pool(
    (
        "We liked {unit}. {relation_name} is already placing furniture.",
        "{unit} is better than {other_unit}, the light in the living room decides.",
        "Good visit. {project} feels quieter than I expected for {locality}.",
        "Honest view: {unit} is beautiful, the lobby of {tower} less so.",
        "Children want to move in tomorrow. I need numbers for {unit} first.",
        "My father counted the steps from the lift to {unit}. He approves.",
        "Nice, but we want to see {unit} once more at {time} for the traffic noise.",
        "Impressed with {project}. Send me the final plan of {unit} with dimensions.",
    )
)

NEXT_STEPS = Pool(
    (
        "Wonderful. I will prepare the offer sheet for {unit} and call on {day} at {time}.",
        "I will get {developer} to confirm in writing and send it by {date}, {client}.",
        "Then a second look at {unit} on {day}, {time}, with your architect?",
        "Noted. I will ask for {unit} at your number and come back by {day}.",
        "I am mailing the dimensions of {unit} now, and the maintenance estimate of {tower}.",
        "Let me bring in {senior}, who has the mandate for {project} prices. {day} {time}?",
    )
)

VISIT_SUMMARIES = Pool(
    (
        "Walked {unit} and the club with {client}; long stop at {view}.",
        "Site visit at {project} with {relation}. {unit} preferred over {other_unit}.",
        "{client} saw {unit} with {relation}, asked about {bank} funding and the handover in {possession}.",
        "Showed {unit}, then the mock-up on the {floor} floor of {tower}. Family of {heads}.",
        "Second part of the tour moved to {other_unit}; parking bays and lift lobby checked.",
        "Met at the {project} gallery, model of {tower} first, then {unit}.",
    )
)
