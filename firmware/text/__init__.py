"""The booth's words: English in the code, Japanese and kana in gettext catalogues, times in the booth's zone."""
