"""Ctrl-C and SIGTERM: what is said at once, and the end that follows."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import tensorflow as tf

from logan.interruption import Interruption
from logan.pace import Pace
from logan.runs import Run
from logan.settings import Experiment

BUSY = """
import sys
from pathlib import Path
import tensorflow as tf
from logan.interruption import Interruption
from logan.pace import Pace
from logan.runs import Run
from logan.settings import Experiment

run = Run(Path(sys.argv[1]), Experiment(steps=1000, log_every=300))
with Interruption(tf.distribute.get_strategy(), run, Pace(), exits=True).listening():
    print("computing", flush=True)
    is_less, plus_one = lambda i: i < 10**12, lambda i: (i + 1,)
    tf.function(lambda: tf.while_loop(is_less, plus_one, (tf.constant(0, tf.int64),)))()
"""


@pytest.fixture
def listener(tmp_path):
    """In a run of 1,000 steps with checkpoints of steps 300 and 600."""
    run = Run(tmp_path, Experiment(steps=1000, log_every=300))
    for step in (300, 600):
        run.checkpoints.path(step).mkdir(parents=True)

    def made(exits):
        return Interruption(tf.distribute.get_strategy(), run, Pace(), exits=exits)

    return made


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_answer_comes_while_tensorflow_computes_and_a_second_signal_ends_the_process(tmp_path):
    """The loop takes hours; Python's own handlers would wait for it."""
    Run(tmp_path, Experiment()).checkpoints.path(600).mkdir(parents=True)
    command = [sys.executable, "-c", BUSY, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        watch = threading.Timer(120, process.kill)  # what follows would read for hours
        watch.start()
        try:
            assert process.stdout.readline() == "computing\n"
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            said = [line_with("Stopping", process.stderr)]
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 130
            said.append(line_with("Left", process.stderr))
        finally:
            watch.cancel()
            process.kill()
    assert said == [
        "Stopping after step 900. Ctrl-C again: leave now, back to the checkpoint of step 600.\n",
        "Left at once. The same command goes on from the checkpoint of step 600.\n",
    ]


def line_with(word, stream):
    return next(line for line in stream if word in line)


def test_other_signal_after_the_first_is_no_second_one(listener, capsys):
    """What stops a group of processes may send SIGTERM after Ctrl-C."""
    interruption = listener(exits=True)
    with interruption.listening():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert interruption.received == signal.SIGINT
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(".")[0] for line in said] == ["Stopping after step 900"]


@pytest.fixture
def heeds_ctrl_c():
    """Python's own handler; a shell lets what runs in the background ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_second_ctrl_c_is_left_to_the_caller_of_a_function(listener, capsys, heeds_ctrl_c):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    interruption = listener(exits=False)
    with pytest.raises(KeyboardInterrupt), interruption.listening():
        signal.raise_signal(signal.SIGINT)
        assert interruption.received == signal.SIGINT
        signal.raise_signal(signal.SIGINT)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert signal.set_wakeup_fd(-1) == -1
    assert capsys.readouterr().err.count("Stopping after step 900") == 1


def test_answer_names_the_time_left_and_what_would_be_lost(tmp_path, capsys):
    pace = Pace()
    pace.seconds = 0.5
    run = Run(Path(tmp_path), Experiment(steps=1000, log_every=300))
    interruption = Interruption(tf.distribute.get_strategy(), run, pace)
    interruption.set_model(tf.Module())
    interruption.model.step = tf.Variable(900)
    interruption.model.steps_per_execution = 50
    interruption.on_train_begin()
    interruption.on_train_batch_end(0)
    with interruption.listening():
        signal.raise_signal(signal.SIGTERM)
    assert capsys.readouterr().err == (
        "Stopping after step 1,000, in about 25 s. SIGTERM again: leave now, back to the start: "
        "no checkpoint yet.\n"
    )
    interruption.model.stop_training = False
    interruption.on_interval_end(1000, {})
    assert interruption.model.stop_training
