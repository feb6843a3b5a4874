"""Frequent given names of several languages, to tell names of people from other words with capital letters."""

from __future__ import annotations

_NAMES = """
aaron abdul abigail adam adrian agnieszka ahmed aisha alan albert alejandra alejandro alessandro alex alexander
alexandra ali alice alicia amanda amelia amir amy ana andrea andreas andrew angela anil anita anja ann anna anne
annette anthony antonio anton arjun arthur ashley astrid barbara beatriz benjamin bernd birgit boris brandon
brian camille carla carlos carmen carol caroline catherine charles charlotte chen chiara chloe christian
christina christine christopher claire clara claudia cristina daniel daniela david deborah deepak denise dennis
diana diego dieter dimitri dmitri donald dorothy edward elena eleni elizabeth ellen emil emily emma eric erik
esther eva evelyn fatima felix fernando florian francesca francesco frank gabriel george gerhard giorgio giulia
giuseppe gloria grace greg gregory hannah hans harald harry hassan heather heinz helen helena henry hiroshi hugo
ibrahim ines ingrid irene isabel isabella ivan jack jacob jacqueline jaime james jan jana janet jason javier
jean jennifer jens jeremy jessica jesus joan joao joel johan johanna johannes john jonas jonathan jorge jose
josef joseph joshua juan julia julian juliette jun justin karen karin karl katarzyna katharina katherine
kathleen keith kelly kenji kenneth kevin klaus krzysztof lars laura lauren lea leo leon leonardo li lina linda
lisa louis louise luca lucas lucia luis luisa lukas magdalena manfred manuel marc marco marcus margaret maria
marie mario marta martha martin martina mary mateo matteo matthew matthias max mehmet mei melissa michael michal
michelle miguel mohamed mohammed monika muhammad mustafa nadia nancy natalia natalie nathan nicholas nicolas
nicole nikolai nina noah nora olga olivia olivier omar oscar pablo pamela paola patricia patrick paul paula
pedro peter petra philip philippe pierre piotr priya rachel rafael rahul rainer ralf raj ralph raymond rebecca
ricardo richard rita robert roberto roger roland ronald rosa ruth ryan sabine sadia salma samantha samuel sandra
sanjay sara sarah scott sean sebastian sergei sharon silvia simon simone sofia sophia sophie stefan stefano
stephanie stephen steven sunil susan susanne svetlana sven takashi tanja tatiana teresa theo thomas timothy
tobias tom tomasz torsten ulrich ursula uwe valentina vanessa vera veronica victor victoria viktor vincent
virginia vladimir walter wei werner william wolfgang xavier xin yan yasmin yi yuki yusuf yvonne zhang zoe zofia
"""

GIVEN_NAMES = frozenset(_NAMES.split())
