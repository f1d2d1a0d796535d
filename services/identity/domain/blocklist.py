"""Words that guessers build from, in lower case and without disguise: wherever one stands in a password, it does not count. Words
that are only refused as the whole of one are in `common`."""

_EVERYWHERE = """
access account admin administrator amanda america andrea andrew angel angels anthony apple ashley august austin autumn
babygirl bailey banana barcelona baseball basketball batman beautiful blessed blink182 brandon brooklyn buster butterfly
camaro cameron canada carlos changeme charles charlie cheese chelsea chester chicago chicken chocolate christian christmas
christopher coffee company computer cookie corvette courage cowboys daniel database december default demo demodemo diamond
dolphin dragon dreams eagle eagles elephant elizabeth enter everything family february ferrari flower football forever
freedom friday friend friends garfield george ginger gold google guest guitar hannah happy harley hello hockey holiday
hunter iceman iloveyou internet jackson jasmine jennifer jessica jesus jordan joseph joshua july june junior justin killer
knight letmein liberty liverpool login london lovely loveme lover lovers madison maggie march marina marlboro martin master
matrix matthew maverick melissa mercedes michael michelle mickey midnight mike miller monday money monkey monster mother
mustang naruto nascar nathan nicole nothing november october office online orange panther passphrase passw0rd passwd
password passwort patrick peaches peanut pepper phoenix pokemon princess private purple qazwsx qwerty rabbit rachel rainbow
ranger rangers raiders richard robert rockyou rosebud samantha samsung saturday scooter secret secure security september
server service shadow shannon silver smokey snoopy soccer sophie spiderman spring starwars steelers summer sunday sunshine
superman superstar support sweet system taylor temp temporary tennis test testing thomas thunder thursday tigers tigger
tinkerbell trustno1 tuesday twilight user username vanessa victoria victory warrior wednesday welcome whatever william
winner winter wizard wonder yankees yellow
"""
_HERE = """
appointment ambulatory cardiology care clinic clinical doctor doctors health healthcare hospital insurance medical medicine
network nurse nursing organization patient patients physician practice provider providers referral referrals staff suite
"""

WORDS = frozenset((_EVERYWHERE + _HERE).split())

_LINES = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "!@#$%^&*()",
)
ROWS = _LINES + tuple(line[::-1] for line in _LINES)
