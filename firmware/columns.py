"""Which column of a call list is which: header names in Japanese and English, with what people write for them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WANTED: Final = "氏名 (name), 電話番号 (phone), フリガナ (reading), 住所 or 生年月日 (identifier), 備考 (note)"

_NAMES: Final = {
    "name": """氏名 名前 お名前 姓名 会社名 法人名 企業名 店舗名 店名 屋号 名称 宛名 顧客名 お客様名 契約者名 担当者名 担当者 姓 名
        name fullname lastname firstname company companyname customer customername contact""",
    "reading": """フリガナ ふりがな よみ ヨミ よみがな ヨミガナ 読み 読み仮名 読みがな 振り仮名 カナ かな 仮名 カナ名 氏名カナ カナ氏名
        氏名フリガナ 名前カナ 会社名カナ 会社名フリガナ 顧客名カナ 氏名かな セイ メイ reading kana furigana phonetic yomi""",
    "phone": """電話番号 電話 でんわ 連絡先 連絡先電話番号 携帯 携帯電話 携帯番号 携帯電話番号 自宅電話 自宅電話番号 勤務先電話番号
        代表電話 代表電話番号 tel telno telephone phone phonenumber number mobile mobilephone cell cellphone 番号""",
    "identifier": """本人確認 生年月日 誕生日 住所 所在地 ご住所 会員番号 顧客番号 顧客id お客様番号 契約番号 identifier birthdate birthday
        dateofbirth dob address customerid id""",
    "note": "メモ 備考 特記事項 摘要 コメント 補足 note notes memo comment comments remark remarks",
}
_FIELDS: Final = {name: field for field, names in _NAMES.items() for name in names.split()}
_NUMBERED: Final = re.compile(r"(?:その)?[0-9]+$")  # 電話番号2
_NOISE: Final = re.compile(r"[\s_\-・.:*()/\[\]]|必須|任意")


@dataclass(frozen=True, slots=True)
class Columns:
    """The positions of each field's columns, in the order in which they stand."""

    name: tuple[int, ...]
    reading: tuple[int, ...]
    phone: tuple[int, ...]
    identifier: tuple[int, ...]
    note: tuple[int, ...]
    count: int

    def words(self, cells: Sequence[str], positions: tuple[int, ...]) -> str:
        """The text of some cells on one line."""
        return " ".join(" ".join(cells[place] for place in positions if place < len(cells)).split())


def find(cells: Sequence[str]) -> Columns | None:
    """The columns that these cells head; None if they are no header (a name and a phone are the least).

    >>> found = find(["No", "会社名", "ＴＥＬ", "電話番号２", "FAX"])
    >>> found.name, found.phone
    ((1,), (2, 3))
    """
    fields = [_field(cell) for cell in cells]
    places = {field: tuple(at for at, found in enumerate(fields) if found == field) for field in _NAMES}
    return Columns(**places, count=len(cells)) if places["name"] and places["phone"] else None


def phones(cells: Sequence[str]) -> tuple[int, ...]:
    """The positions of the cells that head telephone numbers.

    >>> phones(["No", "Phone", "Added on"])
    (1,)
    """
    return tuple(at for at, cell in enumerate(cells) if _field(cell) == "phone")


def _field(cell: str) -> str | None:
    plain = _NOISE.sub("", unicodedata.normalize("NFKC", cell).lower())
    return _FIELDS.get(plain) or _FIELDS.get(_NUMBERED.sub("", plain))
