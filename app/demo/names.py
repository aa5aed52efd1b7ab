"""Given names and family names of the communities that live in the demo's cities."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Culture:
    """One naming tradition. `wives_keep_name` is the custom of the Arab Gulf and the Levant."""

    women: tuple[str, ...]
    men: tuple[str, ...]
    families: tuple[str, ...]
    wives_keep_name: bool = False


def _culture(women: str, men: str, families: str, *, wives_keep_name: bool = False) -> Culture:
    """Builds a culture from comma-separated lists, which keep this file readable."""
    return Culture(
        women=tuple(name.strip() for name in women.split(",")),
        men=tuple(name.strip() for name in men.split(",")),
        families=tuple(name.strip() for name in families.split(",")),
        wives_keep_name=wives_keep_name,
    )


_GULF_WOMEN = (
    "Maryam, Fatima, Aisha, Noura, Sheikha, Latifa, Hessa, Mouza, Shamma, Amna, Reem, Salama, "
    "Alia, Khawla, Moza, Hind, Dana, Sara, Maitha, Wadha, Jawaher, Lulwa, Haya, Munira"
)
_GULF_MEN = (
    "Khalid, Hamad, Saeed, Rashid, Sultan, Mansour, Majid, Ahmed, Mohammed, Abdulla, Faisal, "
    "Yousef, Ali, Omar, Nasser, Saif, Tariq, Jassim, Salem, Ibrahim, Turki, Bandar, Fahad, Badr"
)

CULTURES: dict[str, Culture] = {
    "Marathi": _culture(
        "Ananya, Sayali, Mrunal, Gauri, Prajakta, Rujuta, Vaishali, Madhura, Sharvari, Ketaki, "
        "Aditi, Manasi, Tejashree, Swapnali, Urmila, Shubhangi, Nilima, Revati, Anagha, Isha",
        "Aditya, Rohan, Shantanu, Ameya, Nikhil, Tejas, Omkar, Siddharth, Mandar, Prathamesh, "
        "Vikrant, Sameer, Abhijit, Sachin, Kedar, Chinmay, Milind, Ajinkya, Hrishikesh, Yash",
        "Deshpande, Kulkarni, Joshi, Patil, Bhosale, Gokhale, Apte, Deshmukh, Ranade, Phadke, "
        "Kelkar, Sathe, Pawar, Shinde, Jadhav, Karnik, Chitnis, Gadgil, Nimbalkar, Wagle",
    ),
    "Gujarati": _culture(
        "Hetal, Kinjal, Dhara, Foram, Jinal, Krupa, Bhumi, Riddhi, Mittal, Nidhi, Avani, "
        "Charmi, Urvi, Pooja, Hiral, Sejal, Komal, Vidhi, Ami, Palak",
        "Jignesh, Hardik, Chirag, Parth, Mihir, Dhruv, Harsh, Ketan, Bhavesh, Nirav, Jay, "
        "Kunal, Darshan, Pratik, Viral, Mehul, Rushabh, Tejal, Ronak, Smit",
        "Shah, Patel, Mehta, Desai, Parikh, Gandhi, Doshi, Sanghvi, Kothari, Zaveri, Jhaveri, "
        "Modi, Trivedi, Bhatt, Amin, Vora, Choksi, Dalal, Kapadia, Sheth",
    ),
    "Punjabi": _culture(
        "Simran, Harleen, Jasleen, Gurpreet, Navneet, Mannat, Kiran, Rupinder, Amrit, Ishita, "
        "Tanvi, Sukriti, Mehak, Kavita, Anjali, Ritu, Sonia, Preeti, Gurleen, Bani",
        "Karan, Harpreet, Gurvinder, Arjun, Manpreet, Rajveer, Jaspal, Amarjit, Varun, Kabir, "
        "Sahil, Gaurav, Vikram, Angad, Tarun, Rohit, Inder, Dilpreet, Ranbir, Yuvraj",
        "Singh, Kapoor, Malhotra, Chopra, Khanna, Bedi, Ahluwalia, Sethi, Anand, Bhatia, Dhillon, "
        "Grewal, Sodhi, Arora, Mehra, Kohli, Sandhu, Gill, Oberoi, Chadha",
    ),
    "Marwari": _culture(
        "Shruti, Nikita, Pallavi, Khushboo, Ritika, Surbhi, Neha, Radhika, Shweta, Divya, "
        "Garima, Payal, Swati, Megha, Vandana, Rashmi, Sonal, Tanya, Aakriti, Yashvi",
        "Ankit, Aayush, Siddhant, Manish, Saurabh, Naveen, Sushil, Anirudh, Mukesh, Piyush, "
        "Vineet, Akshat, Rajat, Mohit, Abhishek, Deepak, Sumit, Pankaj, Harshvardhan, Lokesh",
        "Agarwal, Bansal, Goenka, Jalan, Poddar, Kejriwal, Khaitan, Lohia, Maheshwari, Saraf, "
        "Somani, Singhania, Jain, Daga, Kanoria, Ruia, Taparia, Rathi, Baheti, Toshniwal",
    ),
    "Hindi": _culture(
        "Pragya, Shalini, Nandini, Ankita, Richa, Vidushi, Smriti, Charu, Deepika, Shikha, "
        "Namrata, Kritika, Poonam, Alka, Archana, Juhi, Meenakshi, Srishti, Vasudha, Aparna",
        "Prashant, Utkarsh, Alok, Sanjay, Vivek, Shashank, Amit, Rajeev, Kartik, Vaibhav, "
        "Ashish, Shivam, Himanshu, Puneet, Ravi, Manoj, Anurag, Devesh, Kshitij, Pranav",
        "Sharma, Verma, Mishra, Srivastava, Gupta, Tiwari, Saxena, Mathur, Bhargava, Shukla, "
        "Dixit, Chaturvedi, Tyagi, Rastogi, Nigam, Pandey, Awasthi, Chauhan, Rawat, Bisht",
    ),
    "Sindhi": _culture(
        "Roshni, Jyoti, Bhavna, Mahek, Sapna, Natasha, Karishma, Heena, Lavina, Simrat, "
        "Anushka, Reshma, Deepa, Kanchan, Meera, Gunjan, Vanita, Ekta, Diya, Kashish",
        "Rahul, Naresh, Suresh, Mahesh, Jatin, Haresh, Dilip, Vashu, Kishore, Lal, Prem, "
        "Ajay, Sunil, Anil, Girish, Bhagwan, Ramesh, Hitesh, Nanik, Murli",
        "Hiranandani, Advani, Mirchandani, Lalwani, Chandnani, Gidwani, Jethwani, Makhija, Sippy, "
        "Vaswani, Kripalani, Motwani, Thadani, Daswani, Bhojwani, Punjabi, Ramchandani, Tolani",
    ),
    "Parsi": _culture(
        "Freny, Shernaz, Delna, Zarine, Roxane, Perin, Khorshed, Dilnavaz, Shirin, Avan, "
        "Farzana, Jeroo, Nilufer, Tanaz, Arnaz, Ava, Rukhshana, Persis",
        "Cyrus, Jehangir, Rustom, Darius, Farhad, Kaizad, Sohrab, Xerxes, Hormuz, Zubin, "
        "Porus, Behram, Fali, Nozer, Khushru, Percy, Ardeshir, Adi",
        "Batliwala, Contractor, Daruwala, Engineer, Irani, Mistry, Palkhivala, Sethna, Vakil, "
        "Bharucha, Dubash, Kanga, Marfatia, Readymoney, Screwvala, Wadia, Billimoria, Cama",
    ),
    "Tamil": _culture(
        "Meenakshi, Lakshmi, Kavitha, Priya, Revathi, Sowmya, Nandhini, Aishwarya, Janani, "
        "Abirami, Kamala, Vasantha, Deepika, Bhavani, Gayathri, Vidya, Malathi, Sandhya, Anitha",
        "Karthik, Arvind, Senthil, Ganesh, Murugan, Ashwin, Balaji, Vignesh, Saravanan, Anand, "
        "Raghavan, Srinivasan, Hari, Prabhu, Dinesh, Mani, Venkatesh, Gopal, Sundar, Kumaran",
        "Subramanian, Krishnan, Raman, Iyer, Iyengar, Natarajan, Sundaram, Rajagopalan, Chettiar, "
        "Mudaliar, Venkataraman, Ranganathan, Swaminathan, Pillai, Narayanan, Chidambaram, "
        "Lakshmanan, Palaniappan, Annamalai, Sivakumar",
    ),
    "Telugu": _culture(
        "Sravani, Lavanya, Haritha, Swathi, Anusha, Keerthi, Bhargavi, Mounika, Sirisha, Pravallika, "
        "Divya, Padma, Sailaja, Hima, Jyothi, Manasa, Ramya, Vasavi, Tejaswini, Harika",
        "Venkat, Srikanth, Ravi, Praneeth, Kiran, Sai, Chaitanya, Harsha, Naveen, Pavan, "
        "Rajesh, Phani, Vamsi, Satish, Krishna, Abhiram, Teja, Suresh, Nagarjun, Surya",
        "Reddy, Rao, Naidu, Chowdary, Varma, Raju, Prasad, Sastry, Goud, Murthy, Kandula, "
        "Yerramilli, Gadde, Bommareddy, Nallamothu, Vemuri, Tummala, Kakarla, Pochiraju, Alluri",
    ),
    "Kannada": _culture(
        "Deepa, Chaitra, Pavithra, Rashmi, Shruthi, Sahana, Bhavya, Sumana, Vinutha, Nayana, "
        "Kavya, Soumya, Megha, Amrutha, Ashwini, Roopa, Savitha, Mamatha, Spoorthi, Ananya",
        "Kiran, Manjunath, Raghu, Naveen, Vinay, Sanjay, Prakash, Girish, Chetan, Darshan, "
        "Abhishek, Harish, Nagesh, Sudeep, Pradeep, Basavaraj, Shashidhar, Vijay, Rohith, Guru",
        "Gowda, Shetty, Hegde, Rao, Bhat, Murthy, Nayak, Kamath, Pai, Shenoy, Ballal, Acharya, "
        "Rai, Alva, Upadhya, Urs, Patil, Kulkarni, Swamy, Hebbar",
    ),
    "Malayali": _culture(
        "Anjali, Lekha, Parvathy, Nimisha, Athira, Sreeja, Asha, Bindu, Reshmi, Maya, Neethu, "
        "Tessy, Rosamma, Anna, Liya, Susan, Merin, Divya, Gayatri, Indu",
        "Unni, Arun, Vishnu, Rajeev, Sreejith, Anoop, Biju, Jacob, George, Thomas, Mathew, "
        "Roshan, Suresh, Vivek, Manu, Philip, Abraham, Nandakumar, Hari, Jose",
        "Nair, Menon, Varghese, Kurian, Panicker, Kurup, Nambiar, Thomas, Mathew, Cherian, "
        "Chacko, Pillai, Warrier, Eapen, Oommen, Kuruvilla, Unnithan, Koshy, Philip, Zachariah",
    ),
    "Bengali": _culture(
        "Sohini, Debjani, Paromita, Sreyashi, Ritwika, Mousumi, Sharmila, Tanushree, Anindita, "
        "Rituparna, Madhumita, Sutapa, Aparajita, Nabanita, Ipsita, Oindrila, Shreya, Koel",
        "Arnab, Sourav, Anirban, Debashish, Subhajit, Partha, Ranajoy, Sandip, Abhik, Kaushik, "
        "Rudra, Tanmoy, Indranil, Sabyasachi, Prosenjit, Sumanta, Dipankar, Bikram",
        "Banerjee, Mukherjee, Chatterjee, Ganguly, Sen, Bose, Ghosh, Dutta, Roy, Mitra, Basu, "
        "Das, Sarkar, Chakraborty, Bhattacharya, Majumdar, Sengupta, Lahiri",
    ),
    "Goan": _culture(
        "Maria, Anita, Sonia, Bianca, Larissa, Natasha, Flavia, Melba, Lavinia, Rochelle, "
        "Alisha, Carmen, Delia, Erica, Glenda, Ines, Jacinta, Olga",
        "Savio, Nelson, Agnelo, Lloyd, Joaquim, Conrad, Rohan, Alwyn, Caetano, Edwin, Francis, "
        "Glen, Ivan, Kevin, Lester, Menino, Oscar, Trevor",
        "Fernandes, D'Souza, Pereira, Gomes, Rodrigues, Dias, Mascarenhas, Pinto, Almeida, Lobo, "
        "Braganza, Menezes, Sequeira, Noronha, Monteiro, Cardozo, Figueiredo, Vaz",
    ),
    "Deccani": _culture(
        "Ayesha, Zainab, Sana, Mehreen, Nafisa, Rubina, Safiya, Tasneem, Yasmeen, Zehra, Farah, "
        "Hina, Iqra, Mahjabeen, Nazia, Saba, Shaheen, Uzma",
        "Imran, Asad, Farhan, Mir, Nawaz, Omer, Rizwan, Salman, Syed, Taher, Wasim, Yaser, "
        "Zubair, Akbar, Faiz, Junaid, Mustafa, Sajid",
        "Khan, Siddiqui, Quadri, Hussaini, Baig, Razvi, Ansari, Jafri, Owais, Farooqui, Moin, "
        "Hashmi, Qureshi, Sharif, Mirza, Jung, Alam, Nizami",
    ),
    "Pakistani": _culture(
        "Ayesha, Mahnoor, Hira, Sadia, Amna, Rabia, Kiran, Maryam, Nimra, Sidra, Zara, Fariha, "
        "Mehwish, Sarwat, Tehmina, Bushra, Anum, Laiba",
        "Bilal, Hamza, Usman, Zain, Ahsan, Danish, Fawad, Kamran, Adeel, Shahbaz, Waleed, "
        "Haris, Talha, Asim, Naveed, Raza, Taimur, Saad",
        "Malik, Sheikh, Butt, Chaudhry, Cheema, Dar, Lodhi, Mirza, Qureshi, Rana, Tiwana, Khawaja, "
        "Bhatti, Awan, Gilani, Niazi, Abbasi, Warraich",
    ),
    "Emirati": _culture(
        _GULF_WOMEN,
        _GULF_MEN,
        "Al Mansoori, Al Suwaidi, Al Mazrouei, Al Falasi, Al Ketbi, Al Shamsi, Al Hammadi, "
        "Al Marzooqi, Al Zaabi, Al Kaabi, Al Dhaheri, Al Blooshi, Al Muhairi, Al Qubaisi, "
        "Al Romaithi, Al Tayer, Bin Haider, Al Awadhi",
        wives_keep_name=True,
    ),
    "Qatari": _culture(
        _GULF_WOMEN,
        _GULF_MEN,
        "Al Kuwari, Al Marri, Al Sulaiti, Al Naimi, Al Mohannadi, Al Emadi, Al Ansari, Al Hajri, "
        "Al Kaabi, Al Dosari, Al Mannai, Al Jaber, Al Muftah, Al Obaidli, Al Malki",
        wives_keep_name=True,
    ),
    "Saudi": _culture(
        _GULF_WOMEN,
        _GULF_MEN,
        "Al Qahtani, Al Ghamdi, Al Harbi, Al Otaibi, Al Dosari, Al Shehri, Al Zahrani, Al Mutairi, "
        "Al Subaie, Al Anazi, Al Shammari, Al Juhani, Al Malki, Al Yami, Al Omari, Al Sudairi",
        wives_keep_name=True,
    ),
    "Levantine": _culture(
        "Rania, Layal, Nadine, Yara, Lama, Dina, Joumana, Carla, Maya, Rima, Hala, Zeina, Nour, "
        "Tala, Mira, Samar, Rasha, Lina",
        "Karim, Ziad, Elie, Fadi, Georges, Ramzi, Walid, Samir, Nabil, Tony, Marwan, Jad, Rami, "
        "Hani, Bassel, Firas, Wissam, Charbel",
        "Haddad, Khoury, Nasser, Saab, Sayegh, Tannous, Azar, Chalhoub, Daher, Fakhoury, Ghanem, "
        "Hariz, Karam, Mansour, Najjar, Rizk, Shaheen, Zoghbi",
        wives_keep_name=True,
    ),
    "Egyptian": _culture(
        "Mona, Salma, Heba, Yasmin, Nesma, Doaa, Nermin, Shaimaa, Mai, Eman, Amira, Ola, Farida, "
        "Habiba, Malak, Nada, Passant, Radwa",
        "Mostafa, Tamer, Sherif, Amr, Karim, Hossam, Ayman, Wael, Hesham, Ashraf, Khaled, Ehab, "
        "Mahmoud, Medhat, Yehia, Ramy, Alaa, Seif",
        "Abdel Aziz, El Sayed, Fahmy, Gaber, Hassan, Ibrahim, Kamel, Lotfy, Mahfouz, Nassar, "
        "Osman, Ragab, Sabry, Shafik, Taha, Zaki, Hegazy, El Masry",
        wives_keep_name=True,
    ),
    "British": _culture(
        "Charlotte, Emily, Harriet, Olivia, Sophie, Imogen, Rebecca, Victoria, Helen, Georgina, "
        "Alice, Lucy, Fiona, Claire, Hannah, Rosalind, Philippa, Isobel",
        "James, Oliver, Edward, Thomas, William, Alistair, Simon, Andrew, Duncan, Giles, Henry, "
        "Marcus, Neil, Patrick, Rupert, Stuart, Graham, Toby",
        "Ashworth, Bennett, Carrington, Davenport, Ellison, Fairfax, Gallagher, Hartley, Ingram, "
        "Kingsley, Lockwood, Mercer, Norwood, Pemberton, Radcliffe, Sinclair, Thornton, Whitaker",
    ),
}
