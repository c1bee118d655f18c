"""Tasks, their aliases and where their models stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooselect.errors import UsageError
from zooselect.task import TASKS, Task, task_of

TABLE = [
    ("image_classification", "cv", "classification", "imagenet", "top1_accuracy",
     "ic classification cv_classification"),
    ("object_detection", "cv", "detection", "coco", "mAP@0.5", "od detection cv_detection yolo"),
    ("segmentation", "cv", "segmentation", "coco", "mAP@0.5 mask",
     "image_segmentation cv_segmentation"),
    ("question_answering", "nlp", "question_answering", "squad", "F1", "qa nlp_question_answering"),
    ("text_classification", "nlp", "text_classification", "mnli", "accuracy",
     "glue nlp_text_classification"),
    ("sentiment_analysis", "nlp", "sentiment_analysis", "sst2", "accuracy",
     "sentiment nlp_sentiment_analysis"),
    ("token_classification", "nlp", "token_classification", "conll2003", "accuracy",
     "ner named_entity_recognition nlp_token_classification nlp_named_entity_recognition"),
    ("document_classification", "nlp", "document_classification", "imdb", "accuracy",
     "nlp_document_classification"),
    ("multilabel_text_classification", "nlp", "multilabel_text_classification", "goemotions",
     "average_F1", "nlp_multilabel_text_classification"),
    ("masked_language_modeling", "nlp", "masked_language_modeling", "wikipedia_bookcorpus", None,
     "mlm nlp_masked_language_modeling"),
    ("text_generation", "nlg", "text_generation", None, None, "nlp_text_generation"),
]  # fmt: skip
NAMES = [(name, row[0]) for row in TABLE for name in (row[0], *row[5].split())]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_the_table(row):
    task = Task.parse(row[0])
    assert task[:5] == row[:5]
    assert task_of(task.domain, task.sub_domain) is task


def test_there_are_no_other_tasks():
    assert [task.name for task in TASKS] == [row[0] for row in TABLE]


def test_no_name_means_two_tasks():
    names = [name for task in TASKS for name in (task.name, *task.aliases)]
    assert len(names) == len(set(names))


@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_names_and_aliases_in_any_spelling(pair, random):
    text, name = pair
    spelled = "".join(
        random.choice("-_") if char == "_" else random.choice((char, char.upper())) for char in text
    )
    assert Task.parse(spelled).name == name


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("image_clasification", "image_classification"),
        ("Question-Answring", "question_answering"),
        ("tokn_classification", "token_classification"),
        ("text_generatoin", "text_generation"),
    ],
)
def test_unknown_tasks_get_the_closest_names(text, hint):
    with pytest.raises(UsageError, match="unknown task") as caught:
        Task.parse(text)
    assert text in caught.value.message
    assert caught.value.hint.startswith("did you mean ")
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["", "zzz", "三", "\0", None, 5])
def test_names_like_none_get_all_tasks(text):
    with pytest.raises(UsageError) as caught:
        Task.parse(text)
    assert all(row[0] in caught.value.hint for row in TABLE)


@pytest.mark.parametrize("place", [(None, None), ("cv", None), ("cv", "nothing"), ("", "")])
def test_places_without_a_task(place):
    assert task_of(*place) is None
