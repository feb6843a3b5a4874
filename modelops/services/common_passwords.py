"""Passwords that everybody tries first, as they stand when only letters and digits are kept and case is folded.

Shorter ones are refused by their length; a common word padded with digits or signs is found by its letters.
"""

COMMON = frozenset(
    """
    123456789012 1234567890123 12345678901234 123456789abc 1234567890ab 1234567890qwe 0123456789012 098765432109
    0987654321098 112233445566 121212121212 123123123123 123321123321 123412341234 147258369147 159753159753
    1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc 1qazxsw23edc 1qaz1qaz1qaz q1w2e3r4t5y6 qazwsxedcrfv qazwsxedc qwerty
    qwertyuiop qwertyuiopas qwerty123456 qwerty12345 qwertyqwerty qwertzuiop asdfghjkl asdfghjklzxc asdfasdfasdf
    zxcvbnmasdfg zxcvbnm zaq12wsxcde3 abcdefghijkl abcdefghijklm abcdefghijklmn abcdefgh abcd1234abcd abc123abc123
    abcabcabcabc aabbccddeeff password passwordpassword passw0rd passw0rdpassw0rd p4ssw0rd p4ssword pa55word pa55w0rd
    mypassword newpassword newpassw0rd oldpassword thepassword yourpassword ourpassword masterpassword
    adminpassword rootpassword userpassword testpassword temppassword temporary temporarypassword defaultpassword
    initialpassword changeme changemenow changemeplease changethis changethispassword changeit pleasechange
    pleasechangeme pleasechangeit letmein letmeinnow letmeinplease letmeinletmein opensesame openthedoor iloveyou
    iloveyousomuch iloveyouforever iloveyoubaby iloveyouiloveyou iloveyoumom iloveyou2much iloveu iloveusomuch
    ilovemyfamily ilovemymom ilovemydog ilovemylife ilovemykids ilovegod ilovejesus ilovemusic lovelovelove loveyou
    welcome welcomewelcome welcomehome welcometo welcomeback welcometohell welcome2home hello hellohello helloworld
    hellokitty helloeveryone goodmorning goodmorningall goodpassword badpassword mysecret mysecretpassword
    secret secretpassword secretsecret topsecret verysecret supersecret supersecretpassword supersecure secure
    securepassword security administrator administration adminadmin adminadminadmin admin superadmin superuser
    superman supermansuperman batman batmanbatman spiderman starwars starwarsfan startrek startrekfan pokemon
    pokemonpokemon harrypotter gandalf lordoftherings maythefourth maytheforcebewithyou chucknorris michaeljordan
    manchester manchesterunited liverpool liverpoolfc chelseafc arsenalfc barcelona fcbarcelona realmadrid juventus
    football footballfootball baseball baseballbaseball basketball basketballer volleyball icehockey monkey
    monkeymonkey dragon dragondragon princess princessprincess sunshine sunshinesunshine sunflower sunflowers
    butterfly butterflies chocolate chocolatecake strawberry strawberries blueberry cheesecake pumpkinpie pineapple
    watermelon correcthorsebatterystaple correcthorse batterystaple trustno1 trustnoone trustnobody nobodyknows
    idontknow idontcare idontremember iforgot iforgotit iforgotmypassword whatever whatthefuck fuckyou fuckyouall
    fuckyoufuckyou fuckoff asshole assholeasshole bullshit motherfucker donaldduck mickeymouse winniethepooh
    christmas merrychristmas happybirthday happynewyear halloween thanksgiving valentine summertime springtime
    wintertime autumntime january february march april june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday computer computercomputer internet internetexplorer
    microsoft microsoftwindows windows windowsxp facebook facebookfacebook linkedin linkedinlinkedin instagram
    twitter googlegoogle amazonprime samsung samsunggalaxy blackberry playstation playstation4 nintendo minecraft
    minecraftminecraft fortnite callofduty worldofwarcraft leagueoflegends counterstrike grandtheftauto streamlit
    modelops modelopsmodelops machinelearning datascience datascientist database oracleoracle postgres postgresql
    postgrespostgres mysqlmysql rootroot rootrootroot toortoor usernamepassword userusername testtest testtesttest
    testing testingtesting testing123testing tester1234tester guestguest guestguestguest demodemodemo
    example examplepassword companypassword company corporate enterprise business officeoffice marketing
    jesuschrist jesusislord jesuslovesme jesus4ever godisgood godisgoodallthetime praisethelord inshallah
    mohammed alhamdulillah bismillah metallica ironmaiden acdcacdc slipknot linkinpark justinbieber onedirection
    taylorswift michaeljackson bobmarley nirvananirvana pinkfloyd ledzeppelin thebeatles rollingstones
    ferrari lamborghini mercedes mercedesbenz volkswagen motorcycle harleydavidson mustang corvette chevrolet
    """.split()  # noqa: SIM905
)
