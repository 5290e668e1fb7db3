import numpy as np

from logan.datasets.names import Names, joined


def test_labels_give_the_file_and_a_frames_time():
    assert Names(["s1/2.pgm"]).label(0) == "s1/2.pgm"
    names = Names(["a.mp4"] * 3, seconds=np.array([5.04, 59.96, 3725.5]))
    assert [names.label(i) for i in range(3)] == ["a.mp4 0:05.0", "a.mp4 1:00.0", "a.mp4 62:05.5"]


def test_frames_of_one_video_within_two_seconds_are_next():
    names = Names(["a", "a", "a", "b"], np.arange(4), np.array([0.0, 2.0, 4.1, 4.1]))
    assert names.are_next(0, 1) and names.are_next(1, 0)
    assert not names.are_next(1, 2) and not names.are_next(2, 3)


def test_numbered_pictures_are_next_by_number_and_others_never():
    numbered = Names(["1.png", "2.png", "4.png"], np.array([1, 2, 4]))
    assert numbered.are_next(0, 1) and not numbered.are_next(1, 2)
    assert not Names(["1.png", "2.png"]).are_next(0, 1)


def test_some_of_a_set_and_two_sets():
    names = Names(["a", "b", "c"], seconds=np.array([1.0, 2.0, 3.0]))
    some = names.of(np.array([2, 0]))
    assert some.files == ["c", "a"] and some.seconds.tolist() == [3, 1] and some.frames is None
    both = joined(some, Names(["d"], np.array([7]), np.array([9.0])))
    assert both.files == ["c", "a", "d"] and both.seconds.tolist() == [3, 1, 9]
    assert both.frames is None and len(both) == 3
    assert joined(some, None) is None
