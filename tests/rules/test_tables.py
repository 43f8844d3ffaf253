"""What is left of tables and templates: lines that begin with a bar or an exclamation mark."""

from tests.rules.tables import check_tables
from thaiwiki_clean.rules.tables import table

PROSE = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็ก"
FILM = "ภาพยนตร์เรื่องนี้ได้รับรางวัลเมื่อ พ.ศ. 2547"

CUT = {
    table: [
        (f"{PROSE}\n{{|\n|-\n| 2547 || ชนะ\n|}}", f"{PROSE}\n", PROSE),
        (f"{PROSE}\n{{| class=wikitable\n! ปี !! ผล\n|-\n| 2547\n| ชนะ\n|}}", f"{PROSE}\n", PROSE),
        (f"{PROSE}\n{{|border=1\n|+ ผลงาน\n|-\n| 2547 || ชนะ\n|}}\n{FILM}", f"{PROSE}\n{FILM}"),
        (f"{{|\n|-\n||\n|| แมว\n||  สุนัข\n|}}\n{PROSE}", PROSE),
        (f"{PROSE}\n|-\n| แมว\n| สุนัข\n|}}", f"{PROSE}\n", PROSE),
        (f"{PROSE}\n{{|\n|-\n| {FILM}\n|}}", f"{PROSE}\n{FILM}\n", f"{PROSE}\n{FILM}"),
        (f"{PROSE}\n{{|\n|-\n| 2547 || {FILM}\n|}}", f"{PROSE}\n{FILM}\n", f"{PROSE}\n{FILM}"),
        (f'{PROSE}\n{{|\n|-\n| colspan="2" | {FILM}\n|}}', f"{PROSE}\n{FILM}\n", f"{PROSE}\n{FILM}"),
        (f"{PROSE}\nผลงานมีดังนี้\n{{|\n|-\n| 2547 || ชนะ\n|}}", f"{PROSE}\n", PROSE),
        (f"{PROSE}\n{{|\n|-\n| 2547\nชนะเลิศ\n| 2548\nรองชนะเลิศ\n|}}", f"{PROSE}\n", PROSE),
        (f"{PROSE}\n|}}", f"{PROSE}\n", PROSE),
        (f"{PROSE}\n{{|\n| {{| ซ้อน\n|-\n| ก\n|}}\n|}}\n{FILM}", f"{PROSE}\n{FILM}"),
        (f"{PROSE}\n{{|\n|-\n| 2547 || ชนะ\n{FILM}", f"{PROSE}\n{FILM}"),
        (f"{PROSE}\n|ชื่อ=แมว\n|สี=ดำ\n{FILM}", f"{PROSE}\n{FILM}"),
        (f"{PROSE}\n!ปี\n!ผล\n|2547\n|ชนะ\n{FILM}", f"{PROSE}\n{FILM}"),
        (f'{PROSE}\nrowspan="2" | 2547\ncolspan=2|ชนะ\n{FILM}', f"{PROSE}\n{FILM}"),
        (f"{PROSE}\n2547 || ชนะ || 3\n{FILM}", f"{PROSE}\n{FILM}"),
    ]
}

KEPT = {
    table: [
        PROSE,
        "|x| คือค่าสัมบูรณ์ของ x ซึ่งไม่เป็นจำนวนลบ",
        "|x| คือค่าสัมบูรณ์ของ x\n|y| คือค่าสัมบูรณ์ของ y ซึ่งไม่เป็นจำนวนลบ",
        "!Kung เป็นภาษาที่มีเสียงเดาะ",
        "! เป็นเครื่องหมายตกใจที่ใช้ในภาษาอังกฤษ",
        "ถ้า a || b เป็นจริง โปรแกรมก็จะทำงาน",
        "P(A|B) เป็นความน่าจะเป็นมีเงื่อนไข",
        "เขาร้องว่า ไป!! แล้วก็วิ่งหนีไป",
        "เซต {x|x>0} เป็นเซตของจำนวนบวก",
        "- แมวเป็นสัตว์\n- สุนัขก็เป็นสัตว์",
        "แมว | สุนัข | นก เป็นสัตว์ทั้งหมด",
        "class=แมว คือคำสั่งที่เขียนในภาษานี้",
        "while (a || b || c) {",
        "สูตร x = a | b ใช้กับเซต",
        "|a|\n|b| คือค่าสัมบูรณ์ของ b",
        "ตารางที่ 1 แสดงผลงานที่ได้รับรางวัล",
        "สัญลักษณ์ |} ปิดตารางซึ่งเป็นคำสั่งของวิกิ",
    ]
}

test_rule_cuts, test_clean_cuts, test_rule_keeps, test_clean_keeps, test_lengths = check_tables(CUT, KEPT)
