"""Extract main text with a small network of our own: mode `corpus`.

In the order in which a page meets them:

    page_blocks.py      one parse, one walk -> blocks        element_tokens.py   what elements say of themselves
    walked_tables.py    layout, or rows of data              formulas.py         MathML, KaTeX, MathJax -> TeX
    odd_elements.py     hidden ones, doubles, grids          page_head.py        what the page states of itself
    page_group.py       blocks of several pages
    features.py         blocks -> whole numbers              block_model.py      whole numbers -> probabilities
    second_look.py      what all others let expect           held_back.py        menus, archives, other articles
    main_blocks.py      the blocks to keep -> text           training/           gold -> weights
    weights.py          where they are, and of which version
"""
