"""Every model dubgate knows by a short name: where it comes from, its pinned files, size, licence and terms.

Packaged weights were digested from the wheels named in pyproject.toml. Hub revisions and digests are those that several
independent public projects recorded for the same files (2024 to 2026); a file that differs is refused, so a wrong pin
fails closed.
"""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("voice_activity", "transcriber", "aligner", "speaker_encoder", "diarizer", "pitch")


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file by digest; `path` is relative to the package's site folder, or to the repository."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Package:
    """Weights inside an installed distribution."""

    distribution: str


@dataclass(frozen=True, slots=True)
class Hub:
    """A repository at one commit."""

    repository: str
    revision: str


@dataclass(frozen=True, slots=True)
class Card:
    """One model. `best` is the grade: what serves where everything is there; the others are `embedded` or by choice.

    `languages` are BCP-47 primary subtags, None for any. `terms` is what must be accepted before fetching, or "".
    """

    kind: str
    name: str
    source: Package | Hub
    files: tuple[PinnedFile, ...]
    licence: str
    best: bool = False
    embedded: bool = False  # the fallback of its kind that came inside a package
    languages: frozenset[str] | None = None
    terms: str = ""

    @property
    def size(self) -> int:
        return sum(f.size for f in self.files)


_EN = frozenset({"en"})
_WHISPER_TOKENIZER = (
    PinnedFile("tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab", 2_203_239),
    PinnedFile("vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913", 459_861),
)
_WHISPER_V3_SHARED = (
    PinnedFile("preprocessor_config.json", "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711", 340),
    PinnedFile("vocabulary.json", "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1", 1_068_114),
)
_POCKETSPHINX = (
    PinnedFile(
        "pocketsphinx/model/en-us/en-us/README",
        "8b88de980568509c646d0527b8414beef136964391903b40996d32f737bf752e",
        1_617,
    ),
    PinnedFile(
        "pocketsphinx/model/en-us/en-us/feat.params",
        "c982c5f75e2a30c34d2c9ef1f6b129a5a00e67e3e927565076b58664cc2404c9",
        164,
    ),
    PinnedFile(
        "pocketsphinx/model/en-us/en-us/mdef",
        "2360f9a86889c1cfee8bd618a0269387911e5fb2920a594f506b18b8c79683b0",
        2_959_176,
    ),
    PinnedFile(
        "pocketsphinx/model/en-us/en-us/means",
        "832019e32cac12eb318964f96f469034acb12d0348eeddc3831831a100cb4dd4",
        838_732,
    ),
    PinnedFile(
        "pocketsphinx/model/en-us/en-us/noisedict",
        "7295b07df2c204c4f87c6782b6be1a3859d7006d4e3864181c955d6dab105a33",
        56,
    ),
    PinnedFile(
        "pocketsphinx/model/en-us/en-us/sendump",
        "8c9564c0d5bef69ca9d9bf1014abe162f071644cf02cf1fa8a483c3dc165a7a8",
        1_969_024,
    ),
    PinnedFile(
        "pocketsphinx/model/en-us/en-us/transition_matrices",
        "c1f7f28ea43177be734be1f88bd7f1b9a853d0e660f8599c67c6eaeca8bb539a",
        2_080,
    ),
    PinnedFile(
        "pocketsphinx/model/en-us/en-us/variances",
        "b00d696f85e96834fc10f8e5f06428d8c4db6bffdbe5845b6f69bf6efbc48fa5",
        838_732,
    ),
    PinnedFile(
        "pocketsphinx/model/en-us/cmudict-en-us.dict",
        "20b5c293e1f311fb375fe067e500ec5636f4fc7af5594967263696def9b23bfe",
        3_275_645,
    ),
    PinnedFile(
        "pocketsphinx/model/en-us/en-us.lm.bin",
        "db21d0642286677699e6dbc859d2e5395570222361999387ce60f6e1d01995d6",
        27_114_385,
    ),
    PinnedFile(
        "pocketsphinx/model/en-us/en-us-phone.lm.bin",
        "c57e0fa4191b096b1279cfe3a77927f52568fdecfc6624ddb5cec9527c763a54",
        857_195,
    ),
)
# PocketSphinx digests its model in one go; this is what its reports say.
REPORTED_ELSEWHERE = {
    "d3fa2b313ed75aeba10a0106de40d38d7e96c8222065135977e76e21dbed7b6d": "pocketsphinx",
}

CARDS: tuple[Card, ...] = (
    Card(
        "voice_activity",
        "silero-vad",
        Package("silero-vad"),
        (
            PinnedFile(
                "silero_vad/data/silero_vad_16k_sequence.onnx",
                "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
                1_246_165,
            ),
        ),
        "MIT",
        best=True,
    ),
    Card(
        "pitch",
        "swift-f0",
        Package("swift-f0"),
        (
            PinnedFile(
                "swift_f0/model.onnx", "6385e8c2ebc3872e82c9ff5946228de44cd3be77a750ea53698b7dbfe94b0a22", 135_090
            ),
        ),
        "MIT",
        best=True,
    ),
    Card(
        "speaker_encoder",
        "wespeaker",
        Hub("pyannote/wespeaker-voxceleb-resnet34-LM", "837717ddb9ff5507820346191109dc79c958d614"),
        (
            PinnedFile(
                "pytorch_model.bin", "366edf44f4c80889a3eb7a9d7bdf02c4aede3127f7dd15e274dcdb826b143c56", 26_645_418
            ),
        ),
        "CC-BY-4.0",
        best=True,
    ),
    Card(
        "speaker_encoder",
        "ge2e",
        Package("Resemblyzer"),
        (
            PinnedFile(
                "resemblyzer/pretrained.pt",
                "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
                17_090_379,
            ),
        ),
        "Apache-2.0",
        embedded=True,
    ),
    Card(
        "transcriber",
        "large-v3",
        Hub("Systran/faster-whisper-large-v3", "edaa852ec7e145841d8ffdb056a99866b5f0a478"),
        (
            PinnedFile("config.json", "a9306624f5ec14270a014b647e5c316b6e03a662c369758d1b90697a7b0655b9", 2_394),
            PinnedFile("model.bin", "69f74147e3334731bc3a76048724833325d2ec74642fb52620eda87352e3d4f1", 3_087_284_237),
            PinnedFile("tokenizer.json", "6d8cbd7cd0d8d5815e478dac67b85a26bbe77c1f5e0c6d76d1ce2abc0e5f21ca", 2_480_617),
            *_WHISPER_V3_SHARED,
        ),
        "MIT",
        best=True,
    ),
    Card(
        "transcriber",
        "turbo",
        Hub("deepdml/faster-whisper-large-v3-turbo-ct2", "4df90f75321148c3a29a9e2351b7ddf8f5b115a8"),
        (
            PinnedFile("config.json", "b0253ea6c0d3bea6b1e19e91a02acfd3b53f4467362efcb5a3e6b16c9b3a9b7e", 2_263),
            PinnedFile("model.bin", "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da", 1_617_884_929),
            PinnedFile("tokenizer.json", "297b13372ac43916285644fb9687add3cc62ee2a1adb60da3dc25cc94c1871fd", 2_710_337),
            *_WHISPER_V3_SHARED,
        ),
        "MIT",
    ),
    Card(
        "transcriber",
        "small",
        Hub("Systran/faster-whisper-small", "536b0662742c02347bc0e980a01041f333bce120"),
        (
            PinnedFile("config.json", "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828", 2_370),
            PinnedFile("model.bin", "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671", 483_546_902),
            *_WHISPER_TOKENIZER,
        ),
        "MIT",
    ),
    Card(
        "aligner",
        "wav2vec2-en",
        Hub("facebook/wav2vec2-base-960h", "22aad52d435eb6dbaf354bdad9b0da84ce7d6156"),
        (
            PinnedFile(
                "model.safetensors", "8aa76ab2243c81747a1f832954586bc566090c83a0ac167df6f31f0fa917d74a", 377_607_901
            ),
            PinnedFile("config.json", "d3ec255c063d9f95057b553b19c20135b259875834a4fe9deb218a6be25b4cf3", 1_596),
            PinnedFile("vocab.json", "19727f8944fe6459fc3f240ae2c198395b740f6a029bd23e06656266b83bcf64", 291),
        ),
        "Apache-2.0",
        best=True,
        languages=_EN,
    ),
    Card(
        "transcriber",
        "pocketsphinx",
        Package("pocketsphinx"),
        _POCKETSPHINX,
        "BSD-2-Clause",
        embedded=True,
        languages=_EN,
    ),
    Card(
        "aligner",
        "pocketsphinx-aligner",
        Package("pocketsphinx"),
        _POCKETSPHINX,
        "BSD-2-Clause",
        embedded=True,
        languages=_EN,
    ),
)
