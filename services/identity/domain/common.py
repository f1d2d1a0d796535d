"""Words that are no password by themselves, whatever digits stand before or after them: written down by us, by kind. Lower case."""

_PEOPLE = """
aaron abby abigail adam adrian agnes aidan aisha alan albert alejandro alex alexa alexander alexandra alexis alfred alice alicia
alina alison allison alma alyssa amber amelia amy ana anastasia andre andreas andres andy angela angelica angelina anita ann anna
anne annette annie anton antonio april aria ariana ariel arnold arthur arturo asher astrid athena aubrey audrey augusta aurora ava
barbara barry beatrice becky bella ben benjamin bernard bernice beth bethany betty beverly bianca bill billy blake bob bobby bonnie
brad bradley brandi brandy brayden brenda brendan brent brett brian brianna bridget britney brittany brooke bruce bryan bryce
caitlin caleb callum calvin camila candice carl carla carlo carmen carol carolina caroline carolyn carrie carter casey cassandra
cassie cathy catherine cecilia cedric celeste celia chad chandler chantal charlene charlotte chelsea cheryl chloe chris christa
christina christine cindy claire clara clarence clark claudia clay clayton clemens clifford clint cody colin colleen connie connor
conrad corey courtney craig cristina crystal curtis cynthia daisy dakota dale damian damon dan dana danielle danny daphne darius
darlene darren daryl dave david dawn dean deanna debbie deborah delia denise dennis derek desmond devin diana diane diego dieter
dolores dominic dominique donald donna dora doreen doris dorothy doug douglas duncan dustin dwayne dylan earl eddie edgar edith
edmund eduardo edward edwin eileen elaine eleanor elena eli elias elijah elisa elise ella ellen ellie elliott elmer elsa elsie
emil emilia emily emma enrique eric erica erik erika erin ernest esteban esther ethan eugene eunice eva evan eve evelyn ezra
fabian faith fatima felicia felipe felix fernando fiona florence floyd frances francis francesca francisco frank frankie franklin
franz fred freddy frederick frieda gabriel gabriela gail garrett gary gavin gemma genevieve gerald geraldine gerard gertrude gina
giovanni gladys glen glenn gloria gordon grace graham grant greg gregory greta guido guillermo gunther gustav guy gwen hailey hank
hans harold harriet harrison harry harvey hassan hazel heather hector heidi helen helena helga henry herbert herman hilary hilda
holly hope horst howard hubert hugh hugo humphrey ian ibrahim ida ignacio igor ilse imogen ines ingrid irene iris irma isaac
isabel isabella isaiah ivan ivy jack jackie jacob jacqueline jade jaime jake james jamie jan jane janet janice jared jason javier
jay jean jeanette jeff jeffrey jenna jennie jenny jeremiah jeremy jerome jerry jesse jessie jill jim jimmy joan joanna joanne jodi
joe joel johan johanna johannes john johnny jon jonah jonas jonathan jorge jose josefina josie joy joyce juan juanita judith judy
julia julian juliana julie juliet julio julius justine kai karen karin karl karla kate katelyn katherine kathleen kathryn kathy
katie katrina kay kayla keith kelly kelsey ken kendra kenneth kenny kerry kevin khalid kim kimberly kirk klaus konrad kristen
kristin kristina kurt kyle kylie lana lance lara larissa larry laura lauren laurie lawrence leah lee leila lena leo leon leonard
leonardo leroy leslie lewis liam lila lillian lily linda lindsay lisa liz lloyd logan lois lola lorenzo loretta lori lorraine
louis louisa louise lucas lucia lucille lucy luigi luis luisa luke lydia lynn mabel mackenzie madeleine maggie malcolm mandy
manfred manuel marc marcel marcia marco marcus margaret margarita margot maria mariah marian marianne marie mario marion marjorie
mark marlene marsha marshall martha marta martina marvin mary mason mateo mathias maureen maurice mauricio max maxine maxwell may
megan melanie melinda melody mercedes meredith mia micah miguel mila mildred milena miles milton mindy miranda miriam mitchell
mohammed moises molly mona monica morgan moritz morris moses muriel myra nadia nadine nancy naomi natalia natalie natasha neil
nelson nia nicholas nick nicola nikita nina noah noel nora norbert norma norman octavia olga oliver olivia ollie omar oscar oswald
otto owen pablo paige pam pamela parker pat patricia patsy patty paul paula pauline pedro peggy penelope penny percy perry pete
peter petra phil philip philippa phoebe phyllis pierre piotr polly preston priscilla quentin quincy rafael rainer ralph ramon
randall randy raquel raul ray raymond rebecca regina reginald rene renee rex rhonda ricardo rick ricky riley rita rob roberta
roberto robin robyn rochelle rocco rod rodney rodrigo roger roland rolf ron ronald ronnie rosa rosalie rosalind rose rosemary
rosie ross roxanne roy ruben ruby rudolf rudy rufus rupert russell ruth ryan sabina sabine sabrina sadie sally salvador sam samira
sammy samuel sandra sandy sanjay santiago sara sarah sasha saul savannah scarlett scott sean sebastian selena serena sergio seth
shane sharon shaun shawn sheila shelby sheldon shelly sheri sherry shirley sidney siegfried sienna sierra silas silvia simon
simone skylar sofia sonia sonja sophia spencer stacey stacy stan stanley stefan stefanie stella stephan stephanie stephen steve
steven stewart stuart sue summer susan susanna susie suzanne svetlana sven sydney sylvester sylvia tabitha tamara tammy tania
tanner tanya tara tatiana ted teresa terrence terri terry tess tessa theo theodore theresa tiffany tim timmy timothy tina tobias
toby todd tom tommy toni tony tracey tracy travis trent trevor tricia trinity tristan troy tyler ulrich ulrike ursula uwe
valentina valerie vanessa vera vernon veronica vicki vicky victor vincent viola violet virginia vivian vladimir wade wallace
walter wanda warren wayne wendy wesley wilbur wilfred wilhelm willa willie willy wilson winnie winston wolfgang xavier yolanda
yusuf yvette yvonne zachary zara zelda zoe zoey
"""
_SURNAMES = """
adams alvarez armstrong bailey baker barnes becker bennett bergstrom bishop bowman boyd bradford brooks brown bryant burke burns
butler campbell cardenas carlson carpenter carroll castillo chang chapman chavez chen cohen coleman collins cooper cox crawford
cruz cunningham davidson davies davis delgado diaz dixon edwards ellis estrada evans fernandez ferguson fischer fisher fletcher
flores foster fowler fox freeman fuller garcia gardner gibson gomez gonzales gonzalez goodman greene griffin gupta gutierrez hall
hamilton hansen hanson harper harris hart hayes henderson hernandez herrera hicks hill hoffman holmes hopkins hudson hughes hunt
jenkins jensen jimenez johnson johnston jones kaiser kaufman keller kennedy khan klein knudsen kowalski kruger kumar lambert
larsen larson leblanc lindberg lindgren little lopez lynch macdonald maldonado mahoney marquez martinez matthews mccarthy mcdonald
mckenzie medina mendez mendoza meyer miles mills mitchell montgomery moore morales moreno morrison mueller mullins munoz murphy
murray myers navarro newman newton nguyen nichols nielsen novak obrien oconnor olsen olson ortega ortiz palmer park patel patterson
payne peters petersen peterson phillips pierce porter powell price quinn ramirez ramos reed reid reyes reynolds rice richards
richardson rivera roberts robertson robinson rodriguez rogers romero rossi ruiz russo salazar sanchez sanders santos schmidt
schneider schroeder schultz schwartz shaw silva simmons simpson singh smith snyder sorensen soto stevens stone sullivan suarez
suzuki tanaka thompson torres tucker turner vargas vasquez vazquez wagner walker ward warner washington watkins watson weaver
webb weber weiss welch wells wheeler white williams williamson willis wong woods wright yamamoto yang young zhang zimmerman
"""
_PLACES = """
africa alabama alaska albany albuquerque alberta amazon amsterdam anchorage antarctica argentina arizona arkansas asia athens
atlanta atlantic auckland australia austria baghdad bahamas bali baltimore bangkok basel bavaria beijing belfast belgium berlin
bermuda bogota bombay boston brazil brighton bristol britain brisbane broadway bronx brussels bucharest budapest buffalo bulgaria
cairo calgary california cambridge canberra capetown caracas cardiff caribbean carolina casablanca charleston chile china
cincinnati cleveland cologne colombia colorado columbus connecticut copenhagen corsica croatia cuba cyprus dallas damascus
delaware delhi denmark denver detroit dortmund dresden dubai dublin edinburgh egypt england estonia ethiopia europe finland
florence florida france frankfurt geneva genoa georgia germany glasgow grandcanyon greece greenland guatemala haiti hamburg
hanover havana hawaii helsinki himalaya hiroshima holland hollywood honduras hongkong honolulu houston hungary iceland idaho
illinois india indiana indonesia iowa iran iraq ireland israel istanbul italy jakarta jamaica japan jersey jerusalem johannesburg
kabul kansas karachi kentucky kenya kiev kingston korea kuwait lagos lasvegas latvia lebanon leeds leicester leipzig lima lisbon
lithuania losangeles louisiana louisville luxembourg madagascar madrid maine malaysia malta manchester manhattan manila marseille
maryland massachusetts mauritius melbourne memphis mexico miami michigan milan milwaukee minneapolis minnesota mississippi missouri
monaco mongolia montana montreal morocco moscow mumbai munich nairobi naples nashville nebraska nepal netherlands nevada newcastle
newjersey neworleans newyork newyorkcity newzealand nicaragua nigeria norway nottingham oakland oceania ohio oklahoma omaha ontario
oregon orlando osaka oslo ottawa oxford pacific pakistan palermo panama paraguay paris pennsylvania persia peru philadelphia
philippines pittsburgh poland portland portsmouth portugal prague pretoria quebec queens queensland reno reykjavik rochester
romania rome rotterdam russia sacramento sahara saltlakecity salzburg sandiego sanfrancisco sanjose santafe sardinia saudiarabia
scandinavia scotland seattle senegal seoul serbia seville shanghai sheffield siberia sicily singapore slovakia slovenia somalia
southafrica southampton spain stockholm stuttgart sudan sweden switzerland syria taipei taiwan tampa tanzania tasmania tennessee
texas thailand thehague tibet tokyo toledo toronto toulouse transylvania tucson tulsa tunisia turkey tuscany uganda ukraine
unitedkingdom unitedstates uruguay utah utrecht valencia vancouver venezuela venice vermont verona vienna vietnam wales warsaw
wellington westminster wichita winnipeg wisconsin wyoming yellowstone yokohama yorkshire yukon zagreb zambia zimbabwe zurich
"""
_LIVING = """
alligator alpaca anaconda angelfish animal antelope badger barracuda beagle beaver beetle bengal birdie bison blackbird bluebird
bluejay boxer bulldog bullfrog bumblebee buffalo bunny butterfly caterpillar catfish cheetah chihuahua chimpanzee chinchilla
chipmunk cobra cockatoo collie condor cougar coyote cricket crocodile dachshund dalmatian dinosaur doberman doggie donkey
dragonfly falcon ferret firefly flamingo foxtrot foxy gazelle gecko giraffe goldfish goose gorilla grasshopper greyhound
grizzly hamster hedgehog hippo honeybee hornet horses hummingbird husky hyena iguana jackal jaguar jellyfish kangaroo kingfisher
kitten kitty kittycat koala labrador ladybird ladybug lemur leopard lion lionheart lioness lizard llama lobster lynx mallard
mammoth meerkat mongoose moose mosquito mustang nightingale octopus orca ostrich otter owl panda panthers parrot peacock pelican
penguin pheasant pigeon piglet piranha pitbull platypus polarbear pony poodle porcupine puffin puma puppy puppydog python raccoon
ram raptor raven reindeer retriever rhino robin rooster rottweiler salamander salmon scorpion seagull seahorse sealion shark
sheepdog siamese sparrow spaniel spider squirrel stallion starfish stingray stork swallow swan tarantula tercel terrier tigress
toad tortoise toucan turtle unicorn viper vulture walrus warthog wasp weasel whale wildcat wolf wolfgang wolverine wolves wombat
woodpecker yak zebra acorn almond aloe apples apricot artichoke asparagus avocado bamboo basil beech begonia birch blackberry
blossom bluebell blueberry bonsai broccoli buttercup cabbage cactus camellia carnation carrot cauliflower cedar celery cherry
chestnut chrysanthemum cilantro cinnamon clementine clover coconut cornflower cranberry cucumber cypress daffodil dahlia dandelion
eggplant eucalyptus fern freesia gardenia garlic geranium grape grapefruit hawthorn hazelnut hibiscus honeysuckle hyacinth
hydrangea jacaranda juniper kiwi lavender lemon lemongrass lettuce lilac lime lotus magnolia mahogany mandarin mango maple
marigold melon mint mimosa mulberry mushroom mustard nectarine oak olive onion orchid oregano palmtree pansy papaya paprika parsley
passionfruit peach peapod pear peony peppermint persimmon petunia pineapple pinecone pinetree pistachio plum pomegranate poppy
potato primrose pumpkin radish raspberry redwood rhubarb rosebush rosemary roses saffron sage sequoia shamrock snowdrop sorrel
spinach strawberry sunflower sunflowers sweetpea sycamore tamarind tangerine thistle thyme tomato tulip turnip vanilla walnut
watermelon wildflower willow wisteria zucchini
"""
_DAILY = """
abcd absolute adventure airplane alarm album alchemy alpha amazing ambulance anchor ancient anything apartment aquarium archer
armchair arrow artist asdf ashtray asteroid astronaut atomic avatar average awesome backpack bacon badboy badgirl bagpipe ballet
balloon bandana bandit banjo bank barbecue barbie barrel basement basket bathroom battery battle beach beautiful bedroom beer
behappy believe bestfriend bicycle bigboy bigdaddy bigdog bigmac billiards bingo birthday biscuit bitcoin blackjack blacksmith
blanket blaster blizzard blonde bluemoon bluesky boat bodyguard bonfire bookworm boomer boomerang boulder bowling bracelet bravo
bread breakfast breeze brewery bridge bright brother brownie bubble bubblegum bubbles bucket buddy bulldozer burger burrito
business butter button cable cadillac calendar camera campfire candle candy canyon caramel caravan carousel carpet cartoon
cashmere castle catalog celtic century champagne champion change channel chapter charity cheerleader cheeseburger chemistry
cherries chess chewing children chili chimney chips choice chopper church cigar cinema circus city classic classroom clockwork
cloud clouds clown cocktail coffeecup collection college comedy comet comfort computer concert confetti cookies copper coral
correct cosmic cottage cotton country cousin cowgirl crayon crazy cream creative credit creditcard crossfire crown cruise crush
crystal cuddles cupcake curious custom cyclone daddy dancer dancing danger darkness darling dashboard daughter daydream daylight
deadline delicious delta demon dentist desert design destiny detective devil diary diesel digital diploma direct disaster discovery
disco display divine diving dollar dolphins domino donut doorbell dreamer dreams driver drummer drums duchess dude dynamite
earring earth earthquake easter echo eclipse electric electron elevator elite ember emerald emperor empire energy engine engineer
enigma enough envelope epsilon escape eternal eternity evening everyone evolution example excalibur excellent exit explorer express
extreme eyeball factory fairy fairytale fantastic fantasy farmer fashion fastfood father feather fender festival fiesta fighter
firebird firefighter fireman fireplace firewall firework fireworks first fishing flame flash flashlight floppy flowers fluffy flute
flyer flying folder foobar forest forgetit forgotten formula fortune forward fountain foxhole france freaky freddy free friday
friendship frisbee frosty frozen future galaxy gallery gamer garage garden gasoline gateway gemini general generation genesis
genius gentleman getaway ghost giant gift gigabyte gladiator glasses glitter global goalkeeper goddess godfather godzilla golden
goldmine golf golfball golfer good goodbye goodday goodluck goodnight gorgeous gospel government graffiti grandma grandmother
grandpa granite graphics gravity great greatest green greenday grill groovy guardian guest guitarist gumball gunner hacker
halloween hammer handball handsome happiness happy happybirthday happyday harbor hardcore harddisk hardware harmony harvest haven
headphones heart heartbeat hearts heaven heavenly heavymetal helicopter hellfire helpme heritage hero heroes highland highway
hiking hobbit holiday hollow home homework honey honeymoon honor horizon horse horseshoe hotdog hotel hotrod house housewife
hurricane iceberg icecream icecube idontknow imagine immortal impossible indigo infinite infinity information inside inspiration
instant integrity intelligence international invisible inventor island jacket jackpot jazz jeep jelly jester jewel jigsaw joker
journal journey jubilee juggernaut juice jukebox jump jungle jupiter justice kaleidoscope karaoke karate katana kernel ketchup
keyboard keychain king kingdom kingkong kiss kisses kitchen kite knife knowledge koolaid ladies lady lake lakeside lambda
lantern laptop laser laughter lawyer leader leather lecture legacy legend legends lemonade letter letmesee liberty library license
life lifestyle light lighthouse lightning limited limousine liquid literature living lollipop lonely lonewolf longhorn looking
lottery lovebird loveable loveforever lovehate lovelife lovely lovesong loveyou lucky luckyday luckyone lullaby luxury machine
madness magazine magic magical magician magnet magnum mailman majestic manager mansion marathon marble marching margarita marine
marines market marriage married marvel mascot masquerade master masterkey mathematics maximum mayhem meadow meatball mechanic
medal mellow melody memory mercury mermaid message metal metallic meteor microphone military milkshake million millionaire
mineral minister minotaur miracle mirror mission mobile modern moment monarch monday moneybag moneymaker monopoly moonbeam moonlight
moonshine morning motherboard motor motorbike motorcycle motorola mountain mountains mouse movie movies muffin mummy muscle museum
music musical musician mystery mystic myself nature navigator navy necklace neptune nerd network neutron neveragain nevermind newlife
newpass newspaper nickel nickname nightfall nightmare nighttime nirvana nobody noodle noodles normal north notebook nothing nova
novel nuclear number numberone nutella obsidian ocean octane officer okay omega omicron onelove oneworld open opensesame operator
optimus oracle orbit orchestra original outlaw outside overlord oxygen paintball painter palace pancake pandora panic pantera
papa paper parade paradise paradox paramedic parent parking partner party passion passport pasta pastor patriot payday payment
peace peaceful peanuts pearl pebbles pencil pentagon people peppers perfect perfume person personal petunia phantom philosophy
phone photo photography physics piano pickle pickup picture pilot pinball pinkfloyd pinky pirate pirates pistol pizza planet
plasma platinum player playground playing playstation please pluto pocket poet poetry poison poker police politics popcorn
porsche portal positive postcard postman power powerful prayer precious president pretty pretzel pride priest prince printer
prison privacy problem product professor profile progress project promise prophet protocol proton proverb punk purpose puzzle
pyramid quality quantum quartz queen question quicksilver quiet racecar racer racing radio rainbows raindrop rainfall rainy ranch
random rapture rasta reality rebel record redbull redhead redrose reggae registration reload remember renegade reset restaurant
revolution revolver reward rhythm ribbon riddle river riverside roadrunner robot rock rocker rocket rockstar rocky roller romance
romantic roulette royal rugby runner running safari safety sailboat sailing sailor saint sakura samurai sandals sandbox sandcastle
sandstorm sandwich sapphire sarcasm satellite saturn sausage savage saxophone scarecrow schedule scholar school schoolbus science
scientist scissors scooter scout secretagent secretword senior sensei sentinel serenity sergeant seven sexy shadows shampoo shelter
sheriff shine shiny ship shooter shopping shortcut shotgun shower sidekick sidewalk sigma signature silence silk simple simplepass
sister skate skateboard skater skeleton skiing skull skyline skyscraper skywalker slayer sleeping sleepy slipknot smile smiley
smiles smooth snickers sniper snow snowball snowboard snowflake snowman snowstorm snowwhite socks software soldier solution
somebody someone something song sorcerer soulmate spaceman spaceship spaghetti spark sparkle sparky special spectrum speed speedway
sphinx spice spiral spirit splash sponge spongebob sports sporting spotlight springtime sprinkle stairway stardust starfire
stargate stargazer starlight starship station steam steel stereo sterling sticker stone storm stormy story stranger stream street
strike strong student studio submarine subway success sugar suitcase sunday sundance sunlight sunrise sunset superhero supernova
superpower surfer surfing surprise survivor sushi sweater sweet sweetheart sweetie sweetpea sweetness swimmer swimming switch
sword sympathy symphony syndrome tacos talent tango target tattoo taxi teacher teacup team technology teddy teddybear teenager
teflon telephone telescope television tempest temple tequila terminal terminator thankyou theater theking theone theory thief
thinking thunderbird thunderbolt ticket tigerlily timber time timeless timemachine titan titanic titanium today together toilet
tomorrow toolbox tornado toyota tractor tracker tradition traffic train trainer transfer transformer travel traveler treasure tree
treehouse triangle trigger trinket triumph trombone trooper tropical trouble truck true truelove trumpet trust trustme truth tsunami
turbo turtle twinkle twister tycoon typewriter typhoon ultimate ultra umbrella underground undertaker universal universe university
unknown upgrade uranus vacation vampire velocity velvet vendetta venom vertigo veteran victor video videogame village vintage
violin virtual virus vision vodka volcano volleyball voltage volume voodoo vortex voyager waffle wagon wallet wallpaper wanderer
wanted warcraft warlock warlord warning warrior water waterfall watercolor wealth weapon weather website wedding weekend welcomeback
welcomehome western wheel whisky whisper white whitehouse whynot wicked widget wild wildfire wildlife window windmill windows
windsor windstorm wine winners wintertime wireless wisdom wishes witch without wolfpack woman wonderful wonderland wonderwall
wonderwoman wood woodland woodstock working world worldcup worldpeace worldwide xylophone yacht yesterday yoga youandme yourself
zeppelin zero zodiac zombie zombies
"""
_BRANDS = """
addidas adidas adobe airbus airbnb amazon american android aperol arsenal astonmartin audi avengers bacardi barbie baseball batmobile
bentley blackberry blizzard boeing braves broncos bruins budweiser bugatti bulls burberry buccaneers callofduty calvinklein canucks
cardinals cavaliers celtics chanel chargers chevrolet chevy chiefs chrome chrysler cocacola coldplay colts converse coopers corolla
corona counterstrike cubs dallascowboys deathstar dell depechemode disney dodge dodgers doritos dreamcast dropbox ducati dunkin
eminem everton evernote excel facebook falcons fedora ferrari fiat firefox fleetwood flyers fortnite gandalf gameboy gillette gmail
google guinness gunners gunsnroses haribo harleydavidson harrypotter heineken hermione hogwarts honda hotmail hyundai ibm ikea
infiniti instagram ipad iphone ironmaiden ironman jackdaniels jaguars johndeere juventus kawasaki kodak lakers lamborghini lancer
landrover lego lenovo lexus linkedin linkinpark linux macbook macintosh mario marvel maserati mazda mclaren metallica mets
microsoft minecraft mitsubishi monster motley mozilla mustangs napoleon nascar netflix netscape newcastle nike nikon nintendo
nissan nokia oasis oracle oreo packers panasonic paypal penguins pepsi peugeot photoshop pikachu pistons playdoh pontiac porsche
prada predator ramones ravens realmadrid rebels redsox redwings reebok renault rollingstones rolex rovers saints samsung
saturn seahawks sega siemens skoda skype slazenger smirnoff snapchat sonic sony spotify sprite spurs starbucks startrek steam
subaru superbowl suzuki targaryen tesla texaco thebeatles thesims tinder titleist toblerone tottenham toyota twitter ubuntu vikings
vodafone volkswagen volvo walmart westham whatsapp wikipedia winamp wordpress xbox yahoo yamaha yankee youtube zelda zidane
"""
_CLINIC = """
admission allergy anatomy anesthesia antibiotic artery aspirin bandage biology blood bloodtest cancer cardiac cardiologist charting
checkup chiropractor cholesterol clinician consult consultant cough dental dermatology diabetes diagnosis dialysis dietician
emergency epidemic fever flushot fracture frontdesk gastro genetics gynecology heartrate hygiene immune implant infection
injection insulin intake laboratory lifeline medicaid medicare medicalcenter midwife migraine neurology nutrition obstetrics oncology
operation optometry orthopedic outpatient oxygen painkiller paramedic pathology pediatrics penicillin pharmacist pharmacy physical
physio pneumonia practitioner prescription psychiatry psychology pulmonary radiology receptionist recovery rehab scalpel scrubs
stethoscope stroke surgeon surgery syringe telehealth therapist therapy thermometer thyroid transplant treatment triage trauma
ultrasound urgentcare urology vaccine vaccination veterinary virus vitamin waitingroom wellness workup xray
"""
_ENTRY = """
abc abcabc accessme adminadmin aaa administration anonymous asdasd asdfasdf asdqwe backdoor backup cantremember changeit
changemenow changepassword classified computers correcthorse default deleteme dontforget enterpassword fakepassword firstpassword
forgetful forgotpassword goaway guestguest hello helloworld hellothere hithere iamgod idunno iforget iforgot
iforgotit ihateyou ihatepasswords iloveme iloveu iloveyousomuch imissyou imthebest justdoit keepout letmeinnow letmeinplease
loginlogin logmein lookatme loveya manager missyou mylove myname mynewpassword mypass mypassword mypasswords mysecret mustchange
newpassword newuser noaccess nopass nopassword notmypassword openup openthedoor pass passcode passkey passpass passport passwd
passwords passwordpassword pleaseletmein pwd qweasd qweasdzxc qweqwe resetme root rootroot sample secretpassword secrets shutup
signin somepassword strongpassword superadmin superuser supersecret sysadmin temporal temppass temppassword testpass testpassword
testuser thatsme thepassword thisismypassword thisisapassword thisissecret topsecret tryagain unlock userpass userpassword
verysecret webmaster welcomeuser whatever whoami whocares workstation yourpassword zaqxsw zxczxc
"""


def _words(*lists: str) -> frozenset[str]:
    return frozenset(" ".join(lists).split())


COMMON = _words(_PEOPLE, _SURNAMES, _PLACES, _LIVING, _DAILY, _BRANDS, _CLINIC, _ENTRY)
