"""The METRICS table: every number dubgate can measure, with its unit, scope and source. Rules and their README read it."""

from __future__ import annotations

from dataclasses import dataclass

from dubgate.measure.measurement import Scope
from dubgate.units import Unit


@dataclass(frozen=True, slots=True)
class Metric:
    """`report_only` metrics may not be judged by a pack. `means` is one sentence for people, in English and Japanese."""

    name: str
    unit: Unit
    scope: Scope
    group: str  # timing, prosody, voice, content, level, glitch
    means: str
    means_ja: str
    source: str
    report_only: bool = False


_L, _C, _P = Scope.LINE, Scope.CHARACTER, Scope.PROGRAMME

# fmt: off
_ROWS: tuple[Metric, ...] = (
    # A lag is dub minus original, late is positive.
    Metric("speech_iou", Unit.SHARE, _P, "timing",
           "how much of the speech of original and dub falls together", "原音と吹替の発話が重なる割合",
           "quality-metrics 1.5; IWSLT silero settings"),
    Metric("global_offset_s", Unit.SECONDS, _P, "timing",
           "how much the whole dub is late (early if negative)", "吹替全体の遅れ（負は早い）",
           "cross-correlation of speech probabilities; Netflix Global Offset"),
    Metric("drift_ms_per_min", Unit.MILLISECONDS_PER_MINUTE, _P, "timing",
           "how fast the dub runs away from the picture", "吹替が映像からずれていく速さ",
           "joint search over stretch and offset of speech probabilities; Netflix Global Sync Drift"),
    Metric("onset_error_s", Unit.SECONDS, _L, "timing",
           "how late a line starts (early if negative)", "台詞の開始の遅れ（負は早い）",
           "quality-metrics T4"),
    Metric("slot_overrun_s", Unit.SECONDS, _L, "timing",
           "how far a line runs past its slot", "台詞が枠を超えた長さ",
           "quality-metrics T5"),
    Metric("cross_overlap_s", Unit.SECONDS, _P, "timing",
           "how long two dub lines overlap where the original's do not", "原音では重ならない台詞が重なる時間",
           "quality-metrics T6"),
    Metric("uncovered_original_s", Unit.SECONDS, _P, "timing",
           "the longest stretch of original speech without any dub speech", "原音の発話に吹替がない最長区間",
           "quality-metrics T7"),
    Metric("uncovered_original_share", Unit.SHARE, _P, "timing",
           "the share of original speech without dub speech", "原音の発話に吹替がない割合",
           "quality-metrics T7"),
    Metric("unexpected_speech_s", Unit.SECONDS, _P, "timing",
           "the longest stretch of dub speech where original and script are silent", "原音も台本も無音なのに吹替が話す最長区間",
           "quality-metrics T8"),
    Metric("rate_ratio", Unit.RATIO, _L, "timing",
           "how fast a line is spoken against the median of its track", "台詞の速さ（トラック中央値比）",
           "letters per second of net speech; quality-metrics T9"),
    Metric("pause_score", Unit.SHARE, _P, "timing",
           "how well the dub's pauses follow the original's", "間の取り方の一致",
           "Seamless stopes pause alignment; quality-metrics 2.1"),
    Metric("iwslt_m1", Unit.RATIO, _P, "timing",
           "IWSLT metric 1: 1 minus the relative duration error", "IWSLT 指標1",
           "iwslt-autodub-task count_durations.py", report_only=True),
    Metric("iwslt_m2", Unit.SHARE, _P, "timing",
           "IWSLT metric 2: ratio of durations, called speech overlap there", "IWSLT 指標2",
           "iwslt-autodub-task count_durations.py", report_only=True),
    Metric("iwslt_m3", Unit.SECONDS, _P, "timing",
           "IWSLT metric 3: mean duration error", "IWSLT 指標3",
           "iwslt-autodub-task count_durations.py", report_only=True),
    Metric("length_compliance", Unit.SHARE, _P, "timing",
           "share of lines whose text is within 10 % of the original's length", "原文と長さが±10%以内の台詞の割合",
           "IWSLT 2022 isometric", report_only=True),
    Metric("register_shift_st", Unit.SEMITONES, _C, "prosody",
           "how much higher the dub's voice lies than the original's", "吹替の声の高さの差",
           "median semitone difference; quality-metrics P1"),
    Metric("range_ratio", Unit.RATIO, _C, "prosody",
           "the dub's pitch range against the original's", "抑揚の幅の比",
           "MAD of semitones; quality-metrics P2"),
    Metric("line_range_ratio", Unit.RATIO, _L, "prosody",
           "the pitch range of a line against the original's", "台詞ごとの抑揚の幅の比",
           "MAD of semitones; quality-metrics P2"),
    Metric("f0_dtw_lift", Unit.CORRELATION, _C, "prosody",
           "how much more the dub's melody follows its own line than other lines", "旋律が対応する台詞に沿う度合い",
           "DTW correlation minus that of mismatched lines; quality-metrics P5"),
    Metric("final_rise_match", Unit.SHARE, _C, "prosody",
           "share of lines whose final rise or fall follows the original", "文末の上げ下げの一致率",
           "sign of final F0 slope"),
    Metric("energy_range_ratio", Unit.RATIO, _C, "prosody",
           "the dub's range of loudness against the original's", "強弱の幅の比",
           "MAD of speech frames in dB"),
    Metric("rate_spearman", Unit.CORRELATION, _C, "prosody",
           "whether the dub is fast where the original is fast", "話速の順位相関",
           "Spearman; Seamless Rate; quality-metrics P4"),
    Metric("flatness_share", Unit.SHARE, _C, "prosody",
           "share of range, movement and contour that are flat", "抑揚の幅・動き・旋律のうち平板なものの割合",
           "F0 span, movement and contour against the original; bounds in flatness.py"),
    Metric("one_voice_score", Unit.NATS, _L, "voice",
           "how well a line's voice fits the character's other lines", "台詞の声が同じ役の他の台詞と合う度合い",
           "calibrated log-likelihood ratio; quality-metrics S3"),
    Metric("one_voice_outliers", Unit.COUNT, _C, "voice",
           "lines of a character spoken by somebody else", "別人が話している台詞の数",
           "quality-metrics S3"),
    Metric("script_wer", Unit.RATIO, _L, "content",
           "word errors of what was heard against the script", "台本に対する単語誤り率",
           "WER after NFKC and number normalisation; jiwer as reference"),
    Metric("script_cer", Unit.RATIO, _L, "content",
           "character errors of what was heard against the script", "台本に対する文字誤り率",
           "CER for zh ja th ko"),
    Metric("script_words_heard", Unit.SHARE, _L, "content",
           "share of the script's words that were heard", "台本の単語が聞こえた割合",
           "quality-metrics C3"),
    Metric("divergent_run_words", Unit.WORDS, _L, "content",
           "the longest run of words that differ from the script", "台本と異なる語の最長連続",
           "quality-metrics C2"),
    Metric("missing_lines", Unit.COUNT, _P, "content",
           "script lines that were not heard", "聞こえなかった台詞の数",
           "quality-metrics C3"),
    Metric("invented_words", Unit.WORDS, _P, "content",
           "words heard that no line claims", "台本にない語の数",
           "quality-metrics C3"),
    Metric("language_prob", Unit.PROBABILITY, _L, "content",
           "how likely the line is in the language it should be", "期待される言語である確率",
           "quality-metrics C4"),
    Metric("integrated_lufs", Unit.LUFS, _P, "level",
           "integrated programme loudness", "番組ラウドネス",
           "ITU-R BS.1770-4"),
    Metric("speech_gated_lkfs", Unit.LKFS, _P, "level",
           "loudness of the speech (not Dolby Dialogue Intelligence)", "発話ラウドネス",
           "ITU-R BS.1770-4 over voice activity"),
    Metric("loudness_range_lu", Unit.LOUDNESS_UNITS, _P, "level",
           "loudness range", "ラウドネスレンジ",
           "EBU Tech 3342"),
    Metric("true_peak_dbtp", Unit.DBTP, _P, "level",
           "the highest true peak", "トゥルーピーク",
           "ITU-R BS.1770-4 annex 2, 8 times oversampled up to 48 kHz"),
    Metric("dialogue_share", Unit.SHARE, _P, "level",
           "share of the programme that is speech", "発話の割合",
           "voice activity; Netflix 15 % rule"),
    Metric("mix_residual_db", Unit.DECIBELS, _P, "level",
           "how far stem plus M&E are from the mix", "ステム＋M&E とミックスの差",
           "power of the residual against the mix"),
    Metric("speech_to_background_db", Unit.DECIBELS, _P, "level",
           "speech against background where speech is active", "発話と背景の比",
           "stem against M&E, or speech frames against the noise floor"),
    Metric("clipping_ratio", Unit.SHARE, _P, "glitch",
           "share of samples at full scale", "クリッピングの割合",
           "quality-metrics section 5"),
    Metric("dropout_s", Unit.SECONDS, _L, "glitch",
           "the longest digital hole inside a line", "台詞内の無音欠落",
           "quality-metrics section 5"),
    Metric("click_count", Unit.COUNT, _P, "glitch",
           "clicks", "クリックノイズの数",
           "second-difference outliers; quality-metrics section 5"),
    Metric("duration_difference_s", Unit.SECONDS, _P, "glitch",
           "how much longer the dub file is than the original", "原音との長さの差",
           "Prime Video 2.0 s"),
    Metric("snr_db", Unit.DECIBELS, _P, "glitch",
           "speech level against the track's noise floor", "SN比",
           "p80 against p10 frame RMS; quality-metrics section 5"),
)
# fmt: on

METRICS: dict[str, Metric] = {m.name: m for m in _ROWS}
