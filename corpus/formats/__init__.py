"""Read the formats that sources and extractors share: encodings, archives, XML, YAML and HTTP bodies.

Every reader here bounds what hostile input may cost in time and memory, and writes nothing to disk.

    http.py          the body of a response, decoded      encodings.py     bytes -> text by charset
    mojibake.py      signs of a wrong charset             archives.py      members of tar and zip archives
    recoding.py      text that was encoded twice
    tar.py           tar, also behind damage              sevenzip.py      members of .7z archives
    xml.py           XML without entities or DTDs         yaml_lines.py    YAML with the line of every key
"""
