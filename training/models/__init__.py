"""Models: boosted trees and their calibration, the baselines beside them, and the files that hold them."""
