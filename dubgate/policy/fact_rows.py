"""The facts of the delivery, its release, voices, labels and approvals, and the regions, as rows of the catalogue."""

from __future__ import annotations

from dubgate import regions
from dubgate.policy.fact_types import BOOL, INT, NUMBER, TEXT, TEXTS, Fact, ListType, RecordType, Stage, Type

_M, _G, _L, _S = Stage.MANIFEST, Stage.REGISTRY, Stage.LABELS, Stage.SIGNED

TRACK = RecordType(
    (
        ("name", TEXT),
        ("language", TEXT),
        ("human_readable", BOOL),
        ("machine_readable", BOOL),
        ("plays_what_was_heard", BOOL),
    )
)
CAST = RecordType(
    (("name", TEXT), ("technique", TEXT), ("synthetic", BOOL), ("vendor", TEXT), ("model", TEXT), ("group", BOOL))
)

# One row for each voice whose use is granted, with the grant that the release rests on (the first that covers); a voice
# without a grant blocks by itself (CON-001) and has no row.
VOICE = RecordType(
    (
        ("character", TEXT),
        ("technique", TEXT),
        ("clone", BOOL),  # imitates the voice of a person who can be told
        ("subject", TEXT),  # living, deceased, minor, synthetic_no_source, blend
        ("representation", TEXT),  # legal_counsel, union_cba, none
        ("agreement", TEXT),  # the union agreement named; empty where none is
        ("law", TEXT),  # the laws that the grant names and where the speaker lives ("US-CA DE"); empty where not told
        ("intended_use_stated", BOOL),
        ("for_this_title", BOOL),  # the grant names the title itself, not only what it belongs to
        ("documented", BOOL),  # a contract, an e-signature or a court order by digest
        ("paid", BOOL),  # a payment is named
        ("perpetual", BOOL),
        ("term_years", NUMBER),  # 9999 where the grant has no end
        ("guardian", BOOL),
        ("estate", BOOL),
        ("survives_death", BOOL),
        ("strike_suspends", BOOL),
        ("revocable", BOOL),
        ("models_for_other_titles", BOOL),  # a voice model that the grant names was made for another title as well
        ("models_scope_told", BOOL),  # the grant names a voice model, and for each the titles that it was made for
        ("model_deleted_later", BOOL),
        ("trainable", TEXTS),  # what may be trained, for this title or beyond it
        ("notice_hours", NUMBER),  # from the notice to the first use; 0 where no notice is recorded
        ("credited", BOOL),
    )
)


def _rows(stage: Stage, *rows: tuple[str, Type, str]) -> tuple[Fact, ...]:
    return tuple(Fact(path, kind, means, filled_by=stage) for path, kind, means in rows)


ROWS = (
    *_rows(
        _S,
        ("delivery.synthetic", BOOL, "some voice is not shown by a signed statement to be a person's performance"),
        ("partner.approved", TEXTS, "partners whose written approval of this sound was seen and signed for"),
    ),
    *_rows(
        _M,
        ("delivery.style", TEXT, "lipsync, voiceover or lector, as approved"),
        ("delivery.stage", TEXT, "master or package"),
        ("delivery.language", TEXT, "the dub's language (BCP-47)"),
        ("delivery.original_language", TEXT, "the original's language (BCP-47)"),
        ("delivery.translates", BOOL, "the dub speaks another language than the original (primary subtags compared)"),
        ("delivery.clones", BOOL, "some voice imitates a person who can be told, as declared"),
        ("delivery.techniques", TEXTS, "how the synthetic voices were made, each once"),
        ("distribution.territories", TEXTS, "every country of the release (ISO 3166-1), groups expanded, as approved"),
        ("distribution.channels", TEXTS, "the channels of the release, as approved"),
        ("distribution.partners", TEXTS, "the partners who publish it"),
        ("distribution.open_ended", BOOL, "the release window has no end"),
        ("label.planned", BOOL, "the delivery says how the audience will be told"),
        ("label.token_planned", BOOL, "the label plan names a token for machines"),
        ("cast", ListType(CAST), "the cast as declared; vendor and model are empty texts where not told"),
    ),
    *_rows(
        _G,
        ("voices", ListType(VOICE), "every synthetic voice with what its grant says"),
        ("title.level", TEXT, "what the registry says the title is: feature, episode, trailer, song"),
    ),
    *_rows(
        _L,
        ("label.tracks", ListType(TRACK), "the entries of the dub that a viewer can choose, as read back"),
        ("label.c2pa_trusted", BOOL, "a C2PA manifest of a trusted signer was read"),
        ("label.c2pa_says_ai", BOOL, "a trusted C2PA manifest says that a machine made it"),
        ("label.aigc_count", INT, "labels under the key AIGC (GB 45438-2025)"),
        ("label.aigc_complete", BOOL, "there is one AIGC label, and it is complete and says: generated"),
        ("label.audible", BOOL, "a spoken disclaimer was heard at the start"),
        ("label.rhythm", BOOL, "the rhythm for AI (short long, short short) was heard"),
    ),
    Fact("regions.eu", TEXTS, "the European Union's countries", tuple(sorted(regions.EU)), Stage.PROGRAM),
    Fact("regions.europe", TEXTS, "Europe's countries (M49 150)", regions.expand(["150"]), Stage.PROGRAM),
    Fact("regions.latin_america", TEXTS, "Latin America's countries (M49 419)", regions.expand(["419"]), Stage.PROGRAM),
    Fact("regions.world", TEXTS, "all countries (M49 001)", regions.COUNTRIES, Stage.PROGRAM),
)
