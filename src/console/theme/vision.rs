//! What colours look like to people who lack one of the three kinds of cones.

use super::colour::{self, Linear, Rgb};
use crate::rules::words;

words! {
    /// How somebody sees colours.
    pub enum Vision {
        /// With all three kinds of cones.
        Usual = "usual vision",
        /// Without the cones for long waves.
        Protanopia = "protanopia",
        /// Without the cones for middle waves.
        Deuteranopia = "deuteranopia",
        /// Without the cones for short waves.
        Tritanopia = "tritanopia",
    }
}

impl Vision {
    /// What becomes of linear light, in the numbers for full severity of Machado, Oliveira and Fernandes: "A
    /// Physiologically-based Model for Simulation of Color Vision Deficiency", 2009.
    const fn matrix(self) -> [[f64; 3]; 3] {
        match self {
            Self::Usual => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            Self::Protanopia => [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
            Self::Deuteranopia => [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
            Self::Tritanopia => [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        }
    }

    fn sees(self, rgb: Rgb) -> Linear {
        let seen = colour::times(&self.matrix(), colour::linear(rgb));
        seen.map(|part| part.clamp(0.0, 1.0))
    }

    /// Computes how far apart two colours look, where black and white are 100 apart.
    pub(super) fn apart(self, one: Rgb, other: Rgb) -> f64 {
        let place = |rgb| colour::oklab(self.sees(rgb));
        colour::distance(place(one), place(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greys_stay_what_they_are() {
        for vision in Vision::ALL {
            for row in vision.matrix() {
                let sum: f64 = row.iter().sum();
                assert!((sum - 1.0).abs() < 1e-5, "{vision} {sum}");
            }
        }
    }

    #[test]
    fn each_kind_confuses_its_own_colours() {
        let (red, green) = ([190, 80, 60], [120, 120, 50]);
        let (blue, teal) = ([70, 120, 220], [40, 140, 110]);
        let apart = |vision: Vision, one, other| vision.apart(one, other);
        assert!(apart(Vision::Usual, red, green) > 15.0);
        assert!(apart(Vision::Deuteranopia, red, green) < 10.0);
        assert!(apart(Vision::Usual, blue, teal) > 10.0);
        assert!(apart(Vision::Tritanopia, blue, teal) < 5.0);
        assert!(apart(Vision::Protanopia, [255, 0, 0], [0; 3]) < 50.0);
    }
}
