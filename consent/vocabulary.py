"""The closed vocabularies of consent records; sources are named where a list is somebody else's."""

from __future__ import annotations

from enum import StrEnum


class Technique(StrEnum):
    """How a voice is made or changed."""

    VOICE_CLONE_TTS = "voice_clone_tts"
    SPEECH_TO_SPEECH = "speech_to_speech"
    VOICE_CONVERSION = "voice_conversion"
    LIP_SYNC_VISUAL = "lip_sync_visual"
    PITCH_TIMING_ALTER = "pitch_timing_alter"
    STOCK_TTS = "stock_tts"
    BLEND = "blend"


class Performance(StrEnum):
    """What the use does with a performance."""

    NEW = "new_performance"
    TRANSLATION = "translation_of_own_performance"
    ALTERATION = "alteration"
    PICKUP = "pickup_lines"


class Channel(StrEnum):
    """Where the dub is heard."""

    THEATRICAL = "theatrical"
    SVOD = "svod"
    AVOD = "avod"
    TVOD = "tvod"
    FAST = "fast"
    LINEAR = "linear"
    INFLIGHT = "inflight"
    SOCIAL = "social"
    TRAILER_AD = "trailer_ad"
    GAME = "game"
    PODCAST = "podcast"
    INTERNAL_TEST = "internal_test"


class Role(StrEnum):
    """What a party is, and what its key may sign as."""

    PERFORMER = "performer"
    AGENT = "agent"
    GUARDIAN = "guardian"
    ESTATE = "estate"
    HEIR = "heir"
    UNION = "union"
    RIGHTS_HOLDER = "rights_holder"
    LICENSEE = "licensee"
    DUBBING_VENDOR = "dubbing_vendor"
    TTS_VENDOR = "tts_vendor"
    DUBBING_DIRECTOR = "dubbing_director"
    REVIEWER = "reviewer"
    LOCALIZATION_SUPERVISOR = "localization_supervisor"
    CREATIVE_LEAD = "creative_lead"
    LEGAL = "legal"
    PRODUCTION = "production"
    OPERATOR = "operator"


class Capacity(StrEnum):
    """By what authority somebody grants for a voice."""

    SELF = "self"
    AGENT = "agent_poa"
    GUARDIAN = "guardian"
    COURT = "court"
    EXECUTOR = "executor"
    HEIR = "heir"
    UNION = "union_waiver"


class Representation(StrEnum):
    """Who advised the performer (California Labor Code 927)."""

    COUNSEL = "legal_counsel"
    UNION_CBA = "union_cba"
    NONE = "none"


class Subject(StrEnum):
    """Whose voice it is."""

    LIVING = "living"
    DECEASED = "deceased"
    MINOR = "minor"
    SYNTHETIC = "synthetic_no_source"
    BLEND = "blend"


class Level(StrEnum):
    """Where a title stands in its family."""

    CATALOGUE = "catalogue"
    FRANCHISE = "franchise"
    SERIES = "series"
    SEASON = "season"
    EPISODE = "episode"
    FEATURE = "feature"
    TRAILER = "trailer"
    SONG = "song"


class Right(StrEnum):
    """What a holder of a title may allow."""

    AI_DUB = "ai_dub"
    DISTRIBUTE = "distribute"


class ApprovalKind(StrEnum):
    """What a rights holder approves; which of them it wants is said per title."""

    CASTING = "casting"
    SCRIPT = "script"
    FINAL_SOUND = "final_sound"


class PermissionKind(StrEnum):
    """Three separate permissions of an enrolled person."""

    MATCH = "match"
    PROTECT = "protect"
    KEEP = "keep"


class LegalBasis(StrEnum):
    """On what a biometric comparison rests."""

    GDPR_EXPLICIT_CONSENT = "gdpr_9_2_a"
    BIPA_RELEASE = "bipa_release"
    CONTRACT = "contract"
    NOT_BIOMETRIC = "synthetic_voice"


class EventKind(StrEnum):
    """What happened to a record: the status words of DPV 2.3, and those of claims, keys, meters and enrolments."""

    REQUESTED = "requested"
    DEFERRED = "deferred"
    REFUSED = "refused"
    GIVEN = "given"
    RENEWED = "renewed"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    INVALIDATED = "invalidated"
    SUPERSEDED = "superseded"
    CONFIRMED = "confirmed"
    CONTESTED = "contested"
    SETTLED = "settled"
    LIFTED = "lifted"
    OBJECTED = "objected"
    USE_RESERVED = "use_reserved"
    USE_SPENT = "use_spent"
    USE_RELEASED = "use_released"
    MODEL_DELETED = "model_deleted"
    DIED = "died"
    ERASED = "erased"
    HEARD = "heard"


class TrainingUse(StrEnum):
    """CAWG training-and-data-mining 1.1: an unexplained `constrained` counts as `notAllowed`."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "notAllowed"
    CONSTRAINED = "constrained"


class TrainingKind(StrEnum):
    """What a recording or a voice may be used to train."""

    MODEL_FOR_THIS_TITLE = "model_for_this_title"
    VENDOR_MODEL = "vendor_model"
    FOUNDATION_MODEL = "foundation_model"
    DATA_MINING = "data_mining"
    INFERENCE = "inference"


class ContentLimit(StrEnum):
    """What the voice must not be made to say."""

    NO_POLITICAL = "no_political"
    NO_ADULT = "no_adult"
    NO_ENDORSEMENT = "no_endorsement"
    NO_HATE = "no_hate"
    NO_NEW_DIALOGUE = "no_new_dialogue_beyond_script"


class EvidenceKind(StrEnum):
    """What shows that something was agreed."""

    CONTRACT = "contract"
    ESIGN = "esign"
    CONSENT_AUDIO = "consent_audio"
    COURT_ORDER = "court_order"
    RECEIPT = "receipt"
    CORRESPONDENCE = "correspondence"


class RevocationEffect(StrEnum):
    """How far a revocation reaches."""

    STOP_NEW = "stop_new"
    STOP_DISTRIBUTION = "stop_distribution"
    TAKEDOWN = "takedown"


class PayBasis(StrEnum):
    """What a payment is counted by."""

    SESSION = "session"
    PER_USE = "per_use"
    PER_MINUTE = "per_minute"
    ROYALTY = "royalty"
    BUYOUT = "buyout"
    SCALE_MULTIPLE = "scale_multiple"


class ApprovalDecision(StrEnum):
    """What an approver decided."""

    APPROVE = "approve"
    CONDITIONS = "approve_with_conditions"
    REJECT = "reject"


class Quorum(StrEnum):
    """How many of joint holders must approve: the lead alone, all, or `Claim.quorum_n` of them."""

    LEAD = "lead"
    ALL = "all"
    SOME = "n_of_m"


class Partner(StrEnum):
    """Who publishes the dub; others are written `x-` and a name."""

    NETFLIX = "netflix"
    PRIME_VIDEO = "prime_video"
    DISNEY_PLUS = "disney_plus"
    APPLE_TV = "apple_tv"
    MAX = "max"
    PARAMOUNT_PLUS = "paramount_plus"
    CRUNCHYROLL = "crunchyroll"
    YOUTUBE = "youtube"
    TIKTOK = "tiktok"
    META = "meta"
    BROADCASTER = "broadcaster"
    CINEMA = "cinema"
    FESTIVAL = "festival"
