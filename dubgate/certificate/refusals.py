"""Why a certificate is refused: one class a reason, each with the code that a pipeline branches on.

A refusal means "do not publish these bytes here, now, on this certificate". What could not be asked at all (a file that
is missing, a disk that fails) is another DubgateError.
"""

from __future__ import annotations

from typing import ClassVar

from dubgate.errors import DubgateError


class Refused(DubgateError):
    """The certificate does not allow this; `reason` is stable and machine-readable."""

    reason: ClassVar[str] = "refused"


class Malformed(Refused):
    """Not a certificate as this program writes them: JSON, schema, a missing or unknown field, a wrong type."""

    reason = "malformed"


class RepeatedKey(Malformed):
    """A JSON object says one thing twice, and readers differ in which they believe."""

    reason = "repeated-key"


class WrongType(Refused):
    """The envelope's payload type is not that of the statement that belongs here."""

    reason = "wrong-type"


class WrongPredicate(Refused):
    """The statement is of another kind than the one that belongs here."""

    reason = "wrong-predicate"


class UnknownKey(Refused):
    """No key that the trust store lists for this purpose signed it."""

    reason = "unknown-key"


class BadSignature(Refused):
    """A listed key is named, and its signature is not over these bytes."""

    reason = "bad-signature"


class WrongVerifier(Refused):
    """The statement names another verifier than the trust store lists for the key that signed."""

    reason = "wrong-verifier"


class KeyRevoked(Refused):
    """The trust store says that the key was revoked."""

    reason = "key-revoked"


class KeyNotValid(Refused):
    """The key was not valid when it signed, or is no longer."""

    reason = "key-not-valid"


class NotPassed(Refused):
    """The gate looked at these bytes and did not release them."""

    reason = "failed"


class LevelNotAccepted(Refused):
    """The verdict is of a level that the trust store does not accept from this key."""

    reason = "level-not-accepted"


class OtherBytes(Refused):
    """The file is not the one that was judged."""

    reason = "other-bytes"


class Rewrapped(OtherBytes):
    """The same sound in another file: label and timeline have not been read again."""

    reason = "re-wrapped"


class OtherPerformance(Refused):
    """A rendition of the package is not the approved performance: another take, speed, length, or added sound."""

    reason = "other-performance"


class LabelLost(Refused):
    """A rendition of the dub does not carry the label, or the labels contradict each other."""

    reason = "label-lost"


class PackageIncomplete(Refused):
    """The package lacks the dub, or a file that belongs to it, or holds one that no manifest names."""

    reason = "package-incomplete"


class OtherMaster(Refused):
    """The package's certificate is bound to another master's certificate than the one beside it."""

    reason = "other-master"


class NotTheDub(OtherBytes):
    """The file belongs to the package and is not the dub's: nothing was judged about it."""

    reason = "not-the-dub"


class OtherLanguage(Refused):
    """The release is of a dub in another language."""

    reason = "other-language"


class OtherTerritory(Refused):
    """The release is not for this territory."""

    reason = "other-territory"


class OtherChannel(Refused):
    """The release is not for this channel."""

    reason = "other-channel"


class OtherPartner(Refused):
    """The release is not for publication by this partner: its rules were not asked, or the holder did not approve it."""

    reason = "other-partner"


class OutsideWindow(Refused):
    """The release window has not begun, or is over."""

    reason = "outside-window"


class Expired(Refused):
    """The certificate has expired."""

    reason = "expired"


class NotYetValid(Refused):
    """The certificate is dated later than now: one of the two clocks is wrong."""

    reason = "not-yet-valid"


class AlteredMeasurements(Refused):
    """The measurements beside the verdict are not the ones that it rests on."""

    reason = "altered-measurements"


class AlteredAnnex(Refused):
    """The annex is not the one that the verdict names, or a signature in it does not verify."""

    reason = "altered-annex"


class AlteredEvidence(Refused):
    """A folder of evidence is not as it was made, or judging again comes to something else."""

    reason = "altered-evidence"


class UnknownLedger(Refused):
    """The trust store lists no key for the ledger whose checkpoint this is."""

    reason = "unknown-ledger"


class LedgerProof(Refused):
    """The checkpoint's signature or a proof of inclusion does not hold."""

    reason = "ledger-proof"


class LedgerRewritten(Refused):
    """The registry at hand is not the one that the checkpoint witnessed: rewritten, rolled back, or another."""

    reason = "ledger-rewritten"


class ConsentEnded(Refused):
    """A consent, an approval or a title's freedom from refusals does not stand any more."""

    reason = "consent-ended"


class StandingRefusal(ConsentEnded):
    """Somebody has refused this use for good; that outweighs every consent."""

    reason = "standing-refusal"


class PackDemanded(Refused):
    """The publisher demands a rule pack that did not judge."""

    reason = "pack-demanded"


class PackRetired(Refused):
    """A rule pack that judged is not in force any more: its bytes were replaced by others."""

    reason = "pack-retired"


class LevelDemanded(Refused):
    """The publisher demands another level."""

    reason = "level-demanded"


class TrustMalformed(Refused):
    """The trust store is not one."""

    reason = "trust-malformed"


class TrustUnsigned(Refused):
    """The root key did not sign the trust store."""

    reason = "trust-unsigned"


class TrustExpired(Refused):
    """The trust store has expired, or is dated later than now."""

    reason = "trust-expired"


class TrustRolledBack(Refused):
    """A newer trust store was seen before, or another one of the same version."""

    reason = "trust-rolled-back"
