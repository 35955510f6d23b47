"""Find what belongs to a person in a text: addresses, numbers of phones, cards, accounts and identity, keys.

The files, from the whole to its parts:

    options.py          the kinds, and the key `redact` of a manifest
    kinds.py            one search for several of them, and what stands in their place
    emails.py           e-mail addresses, internationalized and written out ones too
    digit_regions.py    where digits stand close together
    networks.py         public IP addresses
    private_numbers.py  runs of digits: phones, cards
    national_numbers.py national numbers of many countries
    check_digits.py     check digits that idnumbers lacks
    accounts.py         bank accounts, by their check sums
    wallets.py          wallets
    private_words.py    the words beside which a number is private
"""
