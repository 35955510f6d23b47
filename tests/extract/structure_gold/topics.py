# ruff: noqa: E501 (texts in wide characters)
"""What the pages of structure gold are about: ten topics in ten languages, each with prose, code, a table, formulas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Formula:
    """A formula as TeX, and as presentation MathML (without its `math` element)."""

    tex: str
    mathml: str


@dataclass(frozen=True)
class Topic:
    """Content without markup: `rows` begin with the row of headings; `menu` are labels of links around the text."""

    language: str
    title: str
    menu: tuple[str, ...]
    paragraphs: tuple[str, ...]
    heading: str
    lexer: str
    code: str
    command: str
    rows: tuple[tuple[str, ...], ...]
    formulas: tuple[Formula, Formula]


MASS = Formula("m = \\rho V", "<mi>m</mi><mo>=</mo><mi>ρ</mi><mi>V</mi>")
ROOT = Formula(
    "d = \\sqrt{x^{2} + y^{2}}",
    (
        "<mi>d</mi><mo>=</mo><msqrt><msup><mi>x</mi><mn>2</mn></msup><mo>"
        "+</mo><msup><mi>y</mi><mn>2</mn></msup></msqrt>"
    ),
)
SHARE = Formula("p = \\frac{k}{n}", "<mi>p</mi><mo>=</mo><mfrac><mi>k</mi><mi>n</mi></mfrac>")
SUM = Formula(
    "s = x_{1} + x_{2}",
    "<mi>s</mi><mo>=</mo><msub><mi>x</mi><mn>1</mn></msub><mo>+</mo><msub><mi>x</mi><mn>2</mn></msub>",
)

TOPICS = (
    Topic(
        "en", "Reading tide gauges", ("Home", "Stations", "Downloads", "About us", "Sign in"),
        (
            "Every gauge along the estuary writes one line a minute, with the "
"height of the water in millimetres and the "
            "temperature of its float. The files are closed at midnight and never changed after that.",
            "A gauge that loses power writes nothing at all, so a gap in the "
"times is the only sign of it. Before any mean is "
            "taken, gaps longer than a quarter of an hour should be marked, "
"or the night will look calmer than it was.",
            "The distance between two stations follows from their places on "
"the chart, and the heights are compared after both "
            "have been put on the same datum.",
        ),
        "Finding the gaps", "python",
        "def find_gaps(times, limit=15):\n    \"\"\"Return where a gauge "
"was silent.\"\"\"\n    gaps = []\n\n"
        "    for before, after in zip(times, times[1:]):\n        if after - before > limit:\n"
        "            gaps.append((before, after))  # minutes\n    return gaps",
        "tidegauge fetch --station 14 --day 2024-03-02",
        (("Station", "Height", "Gaps"), ("Old Quay", "4,120 mm", "3"), ("Sluice", "3,987 mm", "0"), ("Pilot Pier", "4,455 mm", "11")),
        (ROOT, SHARE),
    ),
    Topic(
        "de", "Getreide richtig trocknen", ("Startseite", "Betriebe", "Wetter", "Impressum", "Anmelden"),
        (
            "Frisch gedroschenes Getreide enthält oft mehr Wasser, als es im "
"Silo haben darf. Wer es so einlagert, findet nach "
            "drei Wochen warme Nester, in denen sich Schimmel bildet.",
            "Die Feuchte wird an mindestens fünf Stellen gemessen, und zwar "
"nicht an der Oberfläche, sondern eine Armlänge tief. "
            "Liegt der Mittelwert über vierzehn Prozent, läuft die Belüftung, "
"solange die Luft draußen trockener ist.",
            "Die Masse nach dem Trocknen ergibt sich aus Dichte und Volumen, denn das Korn schrumpft kaum.",
        ),
        "Steuerung der Belüftung", "c",
        "#include <stdio.h>\n\nint fan_needed(double grain, double air)\n{\n "
"   if (grain < 14.0)\n        return 0;  /* trocken genug */\n"
        "    return air < grain;\n}\n\nint main(void)\n{\n    printf(\"%d\\n\", fan_needed(16.5, 9.2));\n}",
        "silo-control --read /dev/ttyUSB0 --interval 60",
        (("Frucht", "Feuchte", "Dauer"), ("Weizen", "16,5 %", "9 Stunden"), ("Hafer", "15,1 %", "4 Stunden"), ("Roggen", "17,8 %", "13 Stunden")),
        (MASS, SHARE),
    ),
    Topic(
        "fr", "Accorder un clavecin", ("Accueil", "Ateliers", "Concerts", "Boutique", "Contact"),
        (
            "Un clavecin se désaccorde dès que l'air change, et celui d'une "
"église change deux fois par jour. On l'accorde donc "
            "le plus tard possible, quand les chaises sont déjà pleines et que les portes sont fermées.",
            "On part d'une seule note, que l'on prend d'un diapason, et l'on "
"avance de quinte en quinte jusqu'à ce que le cercle "
            "se referme. Ce qui reste à la fin se répartit entre les quintes "
"que l'oreille pardonne le mieux.",
            ("Le rapport de deux fréquences dit tout de l'intervalle, et la somme "
"des écarts doit rester nulle."),
        ),
        "Calculer les écarts", "javascript",
        "const fifths = 12;\nconst comma = 1.01364;\n\nfunction temper(steps) "
"{\n  // une quinte un peu plus étroite\n"
        "  return steps.map((step, i) => {\n    const share = i / fifths;"
"\n    return step / comma ** share;\n  });\n}",
        "npm install tempera --save-dev",
        (("Note", "Écart", "Quinte"), ("do", "+5,9", "pure"), ("sol", "+3,9", "étroite"), ("ré", "+2,0", "étroite"), ("la", "0,0", "pure")),
        (SHARE, SUM),
    ),
    Topic(
        "zh-Hans", "用手机记录观鸟数据", ("首页", "论坛", "下载", "关于我们", "登录"),
        (
            "观鸟的人常常在同一个地点停留十几分钟，把看到的每一种鸟和数量记下来。记录越及时，日后的统计就越可靠，所以最好当场输入，不要等到回家。",
            "手机没有信号的时候，数据先存在本机，等连上网络以后再一次上传。上传之前程序会检查时间和坐标，如果两条记录完全相同，只保留其中一条。",
            "两个观察点之间的距离由坐标算出，每种鸟出现的比例等于看到它的次数除以总次数。",
        ),
        "去掉重复的记录", "python",
        "def 去重(记录):\n    见过 = set()\n    for 行 in 记录:\n       "
" 键 = (行[\"时间\"], 行[\"地点\"])\n        if 键 not in 见过:\n"
        "            见过.add(键)\n            yield 行  # 第一次出现",
        "pip install birdlog==2.1",
        (("鸟种", "数量", "地点"), ("白鹭", "12", "东湖"), ("翠鸟", "2", "北渠"), ("斑鸠", "31", "果园")),
        (ROOT, SHARE),
    ),
    Topic(
        "zh-Hant", "自製麵包的發酵時間", ("首頁", "食譜", "器材", "聯絡我們", "登入"),
        (
            "麵團發酵得好不好，看的不是時鐘，而是溫度和體積。同一份麵團在冬天的廚房裡要花三個小時，在夏天卻可能四十分鐘就過頭了。",
            "把一小塊麵團放進量杯，在開始時畫一條線，等它漲到兩倍高，就知道整盆麵團也差不多了。這個辦法不需要任何儀器，而且每次都準。",
            "麵團的重量等於密度乘以體積，水和麵粉的比例則決定它有多黏手。",
        ),
        "換算溫度的程式", "java",
        "public class Dough {\n    static double minutes(double celsius) "
"{\n        // 每升高八度，時間減半\n        double steps = (celsius "
"- 20) / 8;\n"
        "        return 180 / Math.pow(2, steps);\n    }\n\n    public static "
"void main(String[] args) {\n        System.out.println(minutes(28));"
"\n    }\n}",
        "javac Dough.java && java Dough",
        (("溫度", "時間", "體積"), ("20 度", "180 分鐘", "兩倍"), ("24 度", "127 分鐘", "兩倍"), ("28 度", "90 分鐘", "兩倍半")),
        (MASS, SHARE),
    ),
    Topic(
        "ja", "古い時計の進みを測る", ("ホーム", "修理", "部品", "お問い合わせ", "ログイン"),
        (
            "振り子時計の進みは、部屋の温度と置き場所の傾きで変わる。一日だけ測っても本当の癖は分からないので、少なくとも一週間は同じ時刻に記録を続ける。",
            "記録には時報との差だけを書けばよい。差が毎日同じだけ増えるなら、振り子の下のねじを少し回すだけで直る。増え方が日によって違うときは、油が古い。",
            "二つの記録の和と、全体に占める割合から、平均の進みが求められる。",
        ),
        "差を計算する", "ruby",
        "# 一日ごとの進みを返す\ndef drift(notes)\n  notes.each_cons(2).map "
"do |first, second|\n    second[:offset] - first[:offset]\n  end\nend\n\n"
        "puts drift([{ offset: 3 }, { offset: 5 }, { offset: 9 }])",
        "gem install clocklog",
        (("日付", "差", "気温"), ("三月一日", "3 秒", "12 度"), ("三月二日", "5 秒", "14 度"), ("三月三日", "9 秒", "19 度")),
        (SUM, SHARE),
    ),
    Topic(
        "th", "การวัดความเค็มของนาเกลือ", ("หน้าแรก", "สถานี", "ดาวน์โหลด", "ติดต่อเรา", "เข้าสู่ระบบ"),
        (
            ("น้ำทะเลที่ปล่อยเข้านาเกลือจะเค็มขึ้นทุกวันตามแดดและลม คนทำนาวัดความเค็มตอนเช้าก่อนแดดแรง "
"เพราะตอนบ่ายน้ำชั้นบนกับชั้นล่างจะต่างกันมาก"),
            ("ถ้าฝนตกในคืนก่อนเก็บเกลือ ต้องระบายน้ำชั้นบนออกให้หมดก่อนหกโมงเช้า "
"มิฉะนั้นผลึกที่เกิดแล้วจะละลายกลับไป และต้องรออีกอย่างน้อยสิบวัน"),
            "น้ำหนักเกลือคำนวณจากความหนาแน่นและปริมาตร ส่วนอัตราส่วนบอกว่าเก็บได้กี่ส่วนของทั้งหมด",
        ),
        "โปรแกรมเตือนฝน", "bash",
        "#!/bin/bash\n# เตือนเมื่อความเค็มลดลง\nlast=$(tail -n 1 salt.log "
"| cut -d' ' -f2)\n\nif [ \"$last\" -lt 180 ]; then\n"
        "    echo \"ระบายน้ำ\"\n    exit 1\nfi",
        "sudo apt install saltwatch",
        (("แปลง", "ความเค็ม", "น้ำหนัก"), ("แปลงเหนือ", "210", "340 กก."), ("แปลงกลาง", "195", "285 กก."), ("แปลงใต้", "188", "251 กก.")),
        (MASS, SHARE),
    ),
    Topic(
        "ar", "حساب ظل النخيل", ("الرئيسية", "المزارع", "التنزيلات", "من نحن", "تسجيل الدخول"),
        (
            ("يزرع المزارعون الخضار تحت النخيل لأن الظل يحفظ الماء في التربة، "
"غير أن الظل الكثير يؤخر النضج. لذلك يقاس طول الظل عند الظهر في "
"أول كل شهر."),
            ("إذا كانت المسافة بين نخلتين أقل من سبعة أمتار تلاقت الظلال قبل "
"العصر، وعندها يكفي قص السعف السفلي حتى يدخل الضوء من الجانب الغربي."),
            ("تحسب المسافة بين جذعين من إحداثيات كل منهما، أما نسبة الأرض المظللة "
"فهي خارج قسمة المظلل على الكل."),
        ),
        "برنامج الحساب", "go",
        "package main\n\nimport \"fmt\"\n\n// طول الظل بالأمتار\nfunc shadow(height, "
"angle float64) float64 {\n\treturn height / angle\n}\n\n"
        "func main() {\n\tfmt.Println(shadow(12, 1.5))\n}",
        "go run shadow.go -month 6",
        (("الشهر", "الطول", "النسبة"), ("آذار", "9 أمتار", "41"), ("حزيران", "4 أمتار", "22"),
         ("أيلول", "8 أمتار", "37")),
        (ROOT, SHARE),
    ),
    Topic(
        "hi", "कुएँ के जलस्तर का लेखा", ("मुख्य पृष्ठ", "गाँव", "डाउनलोड", "संपर्क", "लॉग इन"),
        (
            ("गाँव के हर कुएँ में एक रंगी हुई रस्सी लटकी रहती है, जिससे सप्ताह "
"में एक बार जलस्तर पढ़ा जाता है। पढ़ने का दिन और समय एक ही रहे तो "
"तुलना आसान होती है।"),
            ("बरसात के बाद पानी कई दिनों तक चढ़ता रहता है, इसलिए पहले सप्ताह "
"का माप अलग लिखा जाता है। जिस कुएँ से पंप चल रहा हो, उसे दो घंटे "
"रुककर नापना चाहिए।"),
            "दो मापों का योग और कुल में उनका अनुपात मिलकर बताते हैं कि पानी कितना लौटा।",
        ),
        "माप जोड़ना", "sql",
        ("-- हर गाँव का औसत\nSELECT village,\n       AVG(depth) AS mean_depth\nFROM "
"wells\nWHERE measured > '2024-01-01'\nGROUP BY village\nORDER BY "
"mean_depth;"),
        "sqlite3 wells.db < mean.sql",
        (("गाँव", "गहराई", "बदलाव"), ("रामपुर", "11 मीटर", "+2"), ("सोनपुर", "9 मीटर", "-1"), ("केशवपुर", "14 मीटर", "+4")),
        (SUM, SHARE),
    ),
    Topic(
        "ru", "Как сушить травы на чердаке", ("Главная", "Сборы", "Магазин", "О нас", "Войти"),
        (
            "Травы сушат пучками, привязав их к балке верхушками вниз, чтобы "
"листья не слипались. Чердак подходит лучше сарая: "
            "под железной крышей днём жарко, а через слуховое окно всё время тянет воздух.",
            "Раз в два дня пучки переворачивают и отряхивают. Когда стебель "
"ломается, а не гнётся, траву снимают и в тот же вечер "
            "убирают в полотняные мешки, иначе утром она снова отсыреет.",
            "Массу сырья находят по плотности и объёму, а долю потерь считают от того, что было собрано.",
        ),
        "Расчёт усушки", "rust",
        "fn dried(fresh: f64, loss: f64) -> f64 {\n    // доля потерь от "
"нуля до единицы\n    fresh * (1.0 - loss)\n}\n\nfn main() {\n"
        "    for kg in [3.0, 5.5] {\n        println!(\"{:.1}\", dried(kg, 0.74));\n    }\n}",
        "cargo run --release -- --loss 0.74",
        (("Трава", "Сырой вес", "Сухой вес"), ("Мята", "3,0 кг", "0,8 кг"), ("Чабрец", "1,2 кг", "0,4 кг"),
         ("Зверобой", "5,5 кг", "1,4 кг")),
        (MASS, SUM),
    ),
)  # fmt: skip
