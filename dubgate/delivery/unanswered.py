"""Is a text an answer? "n/a", dashes and what a template leaves to be filled in are none, in whatever language."""

from __future__ import annotations

import re
import unicodedata

# What people write where a form wants something and they have nothing; letters and digits only, case folded.
_NOTHING = frozenset(
    """
    na notapplicable none nil null nothing no tba tbd tbc todo fixme unknown notknown undefined undisclosed pending empty
    tobedetermined tobeconfirmed tobeannounced tobecompleted asneeded seeabove sameasabove asusual asdiscussed test
    various misc etc xx xxx xxxx yyy zzz asdf qwerty lorem loremipsum loremipsumdolorsitamet
    keine keiner keines nichts entfällt entfaellt ka keineangabe keineangaben unbekannt offen nichtzutreffend wienochzuklären
    so sansobjet néant neant aucun aucune inconnu àcompléter acompleter àdéfinir adefinir nonapplicable nr
    nd noaplica ninguno ninguna nada pendiente desconocido porcompletar pordefinir sindatos
    naoaplicavel nãoaplicável nenhum nenhuma desconhecido adefinir porpreencher pendente
    nonapplicabile nessuno nessuna dadefinire dacompletare sconosciuto
    nvt onbekend geen niettoepassing
    なし 無し 無 該当なし 該当無し 特になし 特に無し 未定 未記入 未入力 不明 検討中 後日記入 テスト ここに記入
    없음 해당없음 해당사항없음 미정 모름 추후기재 미기재
    无 無 没有 不适用 不適用 待定 暂无 暫無 未知 不详 不明确 待补充 空
    нет неприменимо неизвестно уточняется
    """.split()
)
# What a template says to who fills it in.
_TEMPLATE = re.compile(
    r"fill\s*(?:this\s*|it\s*)?in|<[^<>]{1,80}>|\{\{.{0,80}?\}\}|\$\{[^}]{1,80}\}|\[(?:your|insert|enter|name|describe|please|todo|tbd)\b[^\]]{0,80}\]"
    r"|\b(?:insert|enter|describe|write|type|add)\s+(?:your|here|the\s+\w+\s+here)\b|\byour\s+(?:text|answer|name|description|purpose)\b"
    r"|\bhier\s+(?:eintragen|ausfüllen|einfügen|beschreiben)\b|\bbitte\s+(?:ausfüllen|eintragen)\b"
    r"|\bà\s+(?:compléter|remplir)\b|\b(?:rellenar|completar)\s+aquí\b|\bpreencher\s+aqui\b"
    r"|ここに.{0,10}(?:記入|入力)|여기에.{0,10}(?:입력|작성)|(?:请|請)在此.{0,10}(?:填写|輸入|输入)|lorem\s+ipsum",
    re.IGNORECASE,
)


def is_answer(text: str | None) -> bool:
    """Whether a text says something of its own."""
    if text is None or _TEMPLATE.search(text):
        return False
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = "".join(c for c in folded if unicodedata.category(c)[0] in "LN")
    repeated = len(bare) > 1 and len(set(bare)) == 1 and not bare.isdigit()
    return bool(bare) and bare not in _NOTHING and not repeated
