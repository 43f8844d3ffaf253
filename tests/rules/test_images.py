"""What is left of images: file lines, gallery lines, option words."""

from tests.rules.tables import check_tables
from thaiwiki_clean.rules.images import image

PROSE = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็ก"

CUT = {
    image: [
        (f"{PROSE}|thumb|right|200px|{PROSE}", PROSE + PROSE),
        (f"{PROSE} |frame|ซ้าย| ในบ้าน", f"{PROSE}  ในบ้าน", f"{PROSE} ในบ้าน"),
        (f"thumb\n{PROSE}", PROSE),
        (f"200px\n{PROSE}", PROSE),
        (f"120x80px\n{PROSE}", PROSE),
        (f"upright=1.2\n{PROSE}", PROSE),
        (f"{PROSE}\nขวา\n", f"{PROSE}\n", PROSE),
        (f"ธัมบ์เนล\n{PROSE}", PROSE),
        (f"thumb|200px|แมวกำลังนอน\n{PROSE}", PROSE),
        (f"ไฟล์:Cat.jpg|แมวกำลังนอน\n{PROSE}", PROSE),
        (f"ภาพ:Cat.JPG|thumb|แมวกำลังนอน\n{PROSE}", PROSE),
        (f"File:Cat.svg\n{PROSE}", PROSE),
        (f"* ไฟล์:Cat.jpg|แมวกำลังนอน\n{PROSE}", PROSE),
        (f"แผนที่ประเทศไทย.png\n{PROSE}", PROSE),
        (f"Wat Arun.jpg|วัดอรุณราชวราราม\n{PROSE}", PROSE),
        (f"[[ไฟล์:Cat.jpg|thumb|แมว [[เปอร์เซีย]] กำลังนอน]]\n{PROSE}", f"\n{PROSE}", PROSE),
        (f"{PROSE} [[ภาพ:Cat.jpg|20px]] และสุนัขก็เช่นกัน", f"{PROSE}  และสุนัขก็เช่นกัน", f"{PROSE} และสุนัขก็เช่นกัน"),
        (f"thumb{PROSE}", PROSE),
        (f"{PROSE}\nthumbSleep spindle", f"{PROSE}\nSleep spindle"),
        (f"thumb|right|{PROSE}", ""),
        (f"right 200px{PROSE}", PROSE),
        (f"Cat.jpg{PROSE}", PROSE),
    ]
}

KEPT = {
    image: [
        f"{PROSE} |ซ้าย|ขวา| กว้าง 20px",
        f"{PROSE} |ซ้าย|ขวา| {PROSE}",
        f"{PROSE} |thumb {PROSE}",
        "ป้าย |px| ในสูตรนี้คือค่าสัมบูรณ์ของตัวแปร",
        PROSE,
        "ภาพถ่ายใบแรกของโลกถูกถ่ายเมื่อ พ.ศ. 2369",
        "ภาพของแมวเป็นที่นิยมมาก",
        "ไฟล์ชนิดนี้เปิดได้ด้วยโปรแกรมหลายตัว",
        "ไฟล์ภาพมีนามสกุล .jpg และ .png ซึ่งใช้กันมาก",
        "โปรแกรมบันทึกผลไว้ในไฟล์ report.pdf ทุกครั้งที่ทำงาน",
        "สื่อมวลชนได้รายงานข่าวนี้อย่างกว้างขวาง",
        "ขวาของภาพเป็นเจดีย์ที่สร้างขึ้นใหม่",
        "กลางเมืองมีวัดที่สร้างขึ้นตั้งแต่ พ.ศ. 2304",
        "กรอบแนวคิดนี้ถูกเสนอโดยนักวิทยาศาสตร์",
        "ย่อความได้ว่าแมวเป็นสัตว์ที่นอนมาก",
        "จอภาพกว้าง 200px และสูง 100px เป็นขนาดที่ใช้กันมาก",
        "200 ปีต่อมาเมืองนี้ก็ถูกทิ้งร้าง",
        "thumb เป็นคำภาษาอังกฤษที่แปลว่านิ้วหัวแม่มือ",
        "thumbnail เป็นภาพย่อ",
        "Thumbelina เป็นนิทาน",
        "left และ right เป็นคำสั่งที่ใช้ในภาษานี้",
        "Top Gun เป็นภาพยนตร์ที่ออกฉายใน พ.ศ. 2529",
        "frame ของภาพยนตร์ หมายถึงภาพหนึ่งภาพที่อยู่บนฟิล์ม",
        "512 เป็นกำลังเก้าของสอง",
        "ไม่มีใครรู้ว่าแมวถูกเลี้ยงเมื่อใด",
    ]
}

test_rule_cuts, test_clean_cuts, test_rule_keeps, test_clean_keeps, test_lengths = check_tables(CUT, KEPT)
