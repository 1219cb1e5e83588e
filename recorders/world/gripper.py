"""Points of the gripper, in its frame: z runs back along the approach, x is the closing axis. From `assets/so101.xml`.

The fixed pad is a box of 2 x 13 x 30 mm centred at (-0.0089, 0, -0.0870) m; the tests hold these numbers to it.
A third point, the site "tcp" 8 mm off the pad's face (z = -0.0920 m), is what the judge measures
the approach to; only the model holds it.
"""

from __future__ import annotations

PAD_FACE_X = -0.0079
"""Face of the fixed pad [m]."""
PAD_MIDDLE_Z = -0.0870
"""Middle of the fixed pad along the approach [m]."""
PAD_HALF_Y, PAD_HALF_Z = 0.0065, 0.0150
"""Half width and half length of the fixed pad [m]."""
GRASP_Z = -0.100
"""Where a planned grasp has the block's middle [m]: 2 mm inside the pads' ends."""
REACH_Z = -0.0981
"""The point at which reach is asked [m]: the vendor's `gripperframe`, 4 mm inside the pads' ends."""
