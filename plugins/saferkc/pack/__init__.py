"""The performance pack: a monthly report for the Board, HTML and PDF, made of published marts through the gate.

``plan`` reads which series and figures it shows (``board.yaml``), ``read`` gets them from the marts, ``periods`` adds
up and compares, ``guard`` takes all of them through the gate, ``content`` is what is printed, ``write`` puts it into
the templates.
"""
