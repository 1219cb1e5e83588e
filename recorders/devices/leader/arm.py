"""LeRobot's own SO-101 leader, connected, and read without its clipping hiding what the encoders say."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

from curation.frames import JOINTS

from .calibration import TICKS, Calibration
from .errors import LeaderGone, calibrate, no_answer, other_calibration
from .readings import LeaderReading, Six

TRIES = 2
"""A packet that is missing or damaged is asked for once more: on a long cable one in some thousand is (assumed)."""
_LONGEST = 160


class Arm:
    """One leader arm.

    Args:
        port: of its bus.
        calibration: of it.

    Attributes:
        name: for people.

    Raises:
        NoLeader: no servos of a leader answer, or they hold another calibration.
    """

    def __init__(self, port: str, calibration: Calibration) -> None:
        from lerobot.teleoperators.so_leader import SO101Leader, SO101LeaderConfig

        self.name = f"leader arm {calibration.name} on {port}"
        path = calibration.path
        config = SO101LeaderConfig(port=port, id=calibration.name, calibration_dir=path.parent, use_degrees=True)
        self._leader = SO101Leader(config)
        try:
            # Before anything is written to the servos: they may be another arm's, which must not fall.
            self._leader.bus.connect()
            same = self._leader.is_calibrated
            if same:
                self._leader.configure()
        except Exception as error:  # LeRobot, its SDK, pyserial and termios each raise their own
            self.close()
            raise no_answer(port, _words(error)) from error
        if not same:
            self.close()
            raise other_calibration(path, calibrate(port, calibration.name))

    def read(self) -> LeaderReading:
        """Where the joints are now.

        Raises:
            LeaderGone: the bus does not answer.
        """
        for left in reversed(range(TRIES)):
            try:
                return self._ask()
            except Exception as error:  # as above: whatever it is, there is no reading
                # What LeRobot calls so is a packet that is missing or damaged; another error is a port that is gone.
                if not left or not isinstance(error, ConnectionError):
                    raise LeaderGone(f"The leader arm's bus does not answer: {_words(error)}") from error
        raise AssertionError("the last try returns or raises")

    def _ask(self) -> LeaderReading:
        bus = self._leader.bus
        # The SDK would take an answer that comes late for the next one's, and be a reading behind for ever.
        bus.port_handler.ser.reset_input_buffer()
        asked = time.perf_counter()
        ticks = bus.sync_read("Present_Position", normalize=False)
        joints = bus._normalize({bus.motors[joint].id: ticks[joint] for joint in JOINTS})
        return LeaderReading(asked, _six(joints.values()), _six(ticks[joint] % TICKS / TICKS for joint in JOINTS))

    def close(self) -> None:
        """Let go of the port; what the servos were told stays."""
        # LeRobot's disconnect writes to the servos first, which takes seconds on a bus that is dead.
        with suppress(Exception):
            self._leader.bus.port_handler.closePort()


def _six(numbers: Iterable[float]) -> Six:
    a, b, c, d, e, f = map(float, numbers)
    return a, b, c, d, e, f


def _words(error: Exception) -> str:
    """What was raised, in one line; LeRobot lists all servos it expected."""
    told = " ".join(str(error.__cause__ or error).split("Full expected")[0].split())
    return f"{told[:_LONGEST] or type(error).__name__}{'' if told.endswith(('.', '!')) else '.'}"
