"""The desk page's texts, in Japanese and English."""

from typing import Literal, get_args

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

LAMPS = ("line", "recording", "sync")
# How the next call is answered, in the order of the buttons.
ANSWERS = ("answers", "busy", "no-answer", "unassigned", "wordless", "mid-pitch")
# What can be done to the booth, in the order of the buttons.
TROUBLES = ("network", "unplugged", "clock", "mute", "garble", "lossy", "no-sim", "sim-locked", "full-card")

TEXTS: dict[str, tuple[str, str]] = {
    "sample": ("見本リスト", "Sample list"),
    "title": ("机の上のブース電話", "Booth phone on a desk"),
    "screen": ("画面", "Screen"),
    "keys": ("キー", "Keys"),
    "key-0": ("0", "0"),
    "key-*": ("米印（長押しで設定）", "star (hold for the menu)"),
    "key-#": ("シャープ（長押しで理由）", "hash (hold for why)"),
    "key-A": ("A、主操作", "A, main action"),
    "key-B": ("B、上", "B, up"),
    "key-C": ("C、下", "C, down"),
    "key-D": ("D、戻る・終了（長押しで緊急番号）", "D, back or end (hold for emergency numbers)"),
    "lift": ("受話器を上げる", "Lift handset"),
    "replace": ("受話器を置く", "Handset down"),
    "lamp-line": ("回線", "Line"),
    "lamp-recording": ("録音", "Recording"),
    "lamp-sync": ("同期", "Sync"),
    "off": ("消灯", "off"),
    "on": ("点灯", "on"),
    "blink": ("点滅", "blinking"),
    "far-end": ("相手先", "The far end"),
    "far-idle": ("通話なし", "no call"),
    "far-dialling": ("接続中", "being connected"),
    "far-alerting": ("呼び出されている", "its telephone rings"),
    "far-talking": ("通話中", "talking"),
    "far-ringing": ("こちらに電話している", "calls the booth"),
    "withheld": ("非通知", "number withheld"),
    "next-call": ("次にかかった電話に", "The next call"),
    "answers": ("出て話す", "Answers"),
    "busy": ("話し中", "Busy"),
    "no-answer": ("出ない", "No answer"),
    "unassigned": ("使われていない", "Unassigned"),
    "wordless": ("無言で切る", "Wordless hang-up"),
    "mid-pitch": ("話の途中で切る", "Mid-pitch hang-up"),
    "now": ("いま", "Now"),
    "answer": ("出る", "Answer"),
    "hang-up": ("切る", "Hang up"),
    "silent": ("黙る", "Go silent"),
    "call-in": ("電話をかける", "Call in"),
    "call-from": ("番号", "From"),
    "sound": ("聞く・話す", "Your ear and voice"),
    "sound-join": ("音声をつなぐ", "Hear and speak"),
    "sound-leave": ("音声を切る", "Sound off"),
    "sound-mute": ("マイクを切る", "Mute"),
    "sound-heard": ("聞こえる音", "You hear"),
    "sound-said": ("話す声", "You say"),
    "sound-off": (
        "通話を聞き、自分の声で話せます。つなぐまでは、合成の声が代わりに話します。",
        "Hear the call and speak in it yourself. Until then a made-up voice speaks for you.",
    ),
    "sound-joining": ("つないでいます。", "Connecting."),
    "sound-asking": (
        "相手の声が聞こえます。話すには、ブラウザーでマイクを許可してください。",
        "You can hear the call. To speak, allow the microphone in your browser.",
    ),
    "sound-on": ("通話を聞き、話せます。", "You can hear the call and speak."),
    "sound-deaf": (
        "マイクが許可されていません。聞くだけです。合成の声が代わりに話します。",
        "The microphone was not allowed: you can only hear. A made-up voice speaks for you.",
    ),
    "sound-bare": (
        "マイクが見つかりません。聞くだけです。合成の声が代わりに話します。",
        "No microphone was found: you can only hear. A made-up voice speaks for you.",
    ),
    "sound-gone": (
        "マイクがなくなりました。聞くだけです。相手には何も聞こえません。",
        "The microphone has gone: you can only hear, and the far end hears nothing.",
    ),
    "sound-muted": ("マイクは切れています。相手には聞こえません。", "Muted: the far end does not hear you."),
    "sound-taken": ("別の画面が音声を引き継ぎました。", "Another window has taken over the sound."),
    "sound-lost": ("音声の接続が切れました。", "The sound connection has broken."),
    "sound-never": (
        "このブラウザーでは音声を使えません。",
        "This browser cannot carry the sound.",
    ),
    "trouble": ("困らせる", "Make trouble"),
    "network": ("ネットワークを切る", "Cut the network"),
    "unplugged": ("モデムを抜く", "Unplug modem"),
    "clock": ("1970 年で起動", "Restart in 1970"),
    "mute": ("モデムが黙る", "Modem is mute"),
    "garble": ("文字が化ける", "Garbled bytes"),
    "no-sim": ("SIM を抜く", "Take the SIM out"),
    "lossy": ("ケーブル不良", "Bad cable"),
    "sim-locked": ("SIM をロック", "Lock the SIM"),
    "unfit": ("この回線には SIM がありません。", "This line has no SIM."),
    "sim-pin": ("SIM の PIN は 1234 です。", "The SIM's PIN is 1234."),
    "modem": ("モデム", "Modem"),
    "modem-swap": ("差し替える", "Swap"),
    "modem-restarts": ("差し替えるとブースは再起動します。", "The booth restarts with another modem."),
    "full-card": ("カードを満杯に", "Fill the card"),
    "server": ("サーバー", "Server"),
    "pages": ("スーパーバイザーのページを開く", "Open the supervisor's pages"),
    "keyboard": ("キーボード", "Keyboard"),
    "keyboard-keys": (
        "数字 * # ・ Enter = A ・ ↑ + = B ・ ↓ - = C ・ Esc = D ・ h = 受話器",
        "digits * # · Enter = A · ↑ + = B · ↓ - = C · Esc = D · h = handset",
    ),
    "long-press": ("押し続けると長押し", "keep a key down to hold it"),
    "emulated": (
        "回線も相手も模擬です。どこにも電話はかかりません。",
        "Line and far end are emulated: nobody is called.",
    ),
    "modem-log": ("モデムの記録", "Modem log"),
    "pause": ("止める", "Pause"),
    "resume": ("続ける", "Resume"),
    "lost": ("ブースとの接続が切れました。", "The booth cannot be reached."),
    "other-language": ("English", "日本語"),
}


def texts(language: Language) -> dict[str, str]:
    """Every text of the page in one language.

    >>> texts("en")["busy"]
    'Busy'
    """
    column = LANGUAGES.index(language)
    return {name: pair[column] for name, pair in TEXTS.items()}


def chosen_language(asked: str | None, default: Language) -> Language:
    """What was asked for if we speak it, else the booth's own.

    >>> chosen_language("en", "ja"), chosen_language("xx", "ja")
    ('en', 'ja')
    """
    return next((language for language in LANGUAGES if language == asked), default)
