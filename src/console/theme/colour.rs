//! Colours as numbers: names, what a terminal with 256 of them shows instead, and how two of them differ.

use std::sync::LazyLock;

use ratatui::style::Color;

/// Red, green and blue as sRGB has them.
pub(super) type Rgb = [u8; 3];

/// A colour in linear light, each part from 0 to 1.
pub(super) type Linear = [f64; 3];

/// The 16 names with what xterm shows for them; the terminal may show something else.
pub(super) const ANSI: [(&str, Color, Rgb); 16] = [
    ("black", Color::Black, [0, 0, 0]),
    ("red", Color::Red, [205, 0, 0]),
    ("green", Color::Green, [0, 205, 0]),
    ("yellow", Color::Yellow, [205, 205, 0]),
    ("blue", Color::Blue, [0, 0, 238]),
    ("magenta", Color::Magenta, [205, 0, 205]),
    ("cyan", Color::Cyan, [0, 205, 205]),
    ("white", Color::Gray, [229, 229, 229]),
    ("bright-black", Color::DarkGray, [127, 127, 127]),
    ("bright-red", Color::LightRed, [255, 0, 0]),
    ("bright-green", Color::LightGreen, [0, 255, 0]),
    ("bright-yellow", Color::LightYellow, [255, 255, 0]),
    ("bright-blue", Color::LightBlue, [92, 92, 255]),
    ("bright-magenta", Color::LightMagenta, [255, 0, 255]),
    ("bright-cyan", Color::LightCyan, [0, 255, 255]),
    ("bright-white", Color::White, [255, 255, 255]),
];

/// The name for whatever the terminal shows when nobody asks for a colour.
pub(super) const DEFAULT: &str = "default";

/// Reads `#rrggbb`, one of the 16 names, or `default`.
pub(super) fn parse(word: &str) -> Option<Color> {
    if word == DEFAULT {
        return Some(Color::Reset);
    }
    if let Some(digits) = word.strip_prefix('#') {
        let plain = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let value = plain.then(|| u32::from_str_radix(digits, 16).ok())??;
        return Some(Color::from_u32(value));
    }
    let named = ANSI.iter().find(|(name, ..)| *name == word);
    named.map(|(_, color, _)| *color)
}

/// Spells a colour as a theme file does.
pub(super) fn spelled(color: Color) -> String {
    match (named(color), rgb(color)) {
        (Some((name, ..)), _) => (*name).to_owned(),
        (None, Some([r, g, b])) => format!("#{r:02x}{g:02x}{b:02x}"),
        (None, None) => DEFAULT.to_owned(),
    }
}

/// Finds the row of a colour that has one of the 16 names.
pub(super) fn named(color: Color) -> Option<&'static (&'static str, Color, Rgb)> {
    ANSI.iter().find(|(_, known, _)| *known == color)
}

/// Tells what a colour looks like; nobody knows what the terminal's default does.
pub(super) fn rgb(color: Color) -> Option<Rgb> {
    match color {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index) => indexed(index),
        color => named(color).map(|(.., rgb)| *rgb),
    }
}

/// Gives the colour of the fixed part of the 256: a cube of 6 by 6 by 6, and 24 greys.
fn indexed(index: u8) -> Option<Rgb> {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        0..16 => None,
        16..232 => {
            let place = usize::from(index - 16);
            Some([STEPS[place / 36], STEPS[place / 6 % 6], STEPS[place % 6]])
        }
        232.. => Some([8 + 10 * (index - 232); 3]),
    }
}

/// Finds the nearest of the 256 that every terminal shows alike; what is no exact colour stays as it is.
pub(super) fn rounded(color: Color) -> Color {
    static KNOWN: LazyLock<Vec<(u8, Linear)>> = LazyLock::new(|| {
        let known = (16..=u8::MAX).filter_map(|index| Some((index, indexed(index)?)));
        known
            .map(|(index, rgb)| (index, oklab(linear(rgb))))
            .collect()
    });
    let Color::Rgb(r, g, b) = color else {
        return color;
    };
    let wanted = oklab(linear([r, g, b]));
    let away = |known: &Linear| distance(*known, wanted);
    let nearest = KNOWN
        .iter()
        .min_by(|a, b| away(&a.1).total_cmp(&away(&b.1)));
    nearest.map_or(color, |(index, _)| Color::Indexed(*index))
}

/// Undoes the curve of sRGB.
pub(super) fn linear(rgb: Rgb) -> Linear {
    rgb.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    })
}

/// Multiplies a row of three numbers with each row of a matrix.
pub(super) fn times(matrix: &[[f64; 3]; 3], [x, y, z]: [f64; 3]) -> [f64; 3] {
    matrix.map(|[a, b, c]| a * x + b * y + c * z)
}

/// Computes how well one colour is read on another, from 1 to 21, as WCAG 2 has it.
pub(super) fn contrast(one: Rgb, other: Rgb) -> f64 {
    let luminance = |rgb| {
        let [r, g, b] = linear(rgb);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Places a colour where equal steps look alike: Björn Ottosson's `OKLab`.
pub(super) fn oklab(color: Linear) -> [f64; 3] {
    const CONES: [[f64; 3]; 3] = [
        [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
        [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
        [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
    ];
    const LAB: [[f64; 3]; 3] = [
        [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
        [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
        [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
    ];
    times(&LAB, times(&CONES, color).map(f64::cbrt))
}

/// Computes how far two places of `OKLab` are from each other; from black to white it is 100.
pub(super) fn distance(one: [f64; 3], other: [f64; 3]) -> f64 {
    let [l, a, b] = [0, 1, 2].map(|part| one[part] - other[part]);
    100.0 * (l * l + a * a + b * b).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_colours_and_words_again() {
        for word in ["#0a1b2c", "black", "white", "bright-white", "default"] {
            assert_eq!(spelled(parse(word).unwrap()), word);
        }
        for word in [
            "", "#", "#12345", "#1234567", "#+12345", "#12345g", "#äöü", "Red", "grey",
        ] {
            assert_eq!(parse(word), None, "{word}");
        }
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
        assert!((contrast([119; 3], [255; 3]) - 4.48).abs() < 0.005);
        assert!((contrast([255, 0, 0], [255; 3]) - 4.00).abs() < 0.005);
    }

    #[test]
    fn places_are_those_that_were_published() {
        // The table of Ottosson's page turns XYZ into Lab; sRGB red, green and white are what browsers compute.
        for (rgb, [l, a, b]) in [
            ([255, 255, 255], [1.0, 0.0, 0.0]),
            ([255, 0, 0], [0.628, 0.225, 0.126]),
            ([0, 255, 0], [0.866, -0.234, 0.179]),
            ([0, 0, 255], [0.452, -0.032, -0.312]),
        ] {
            let found = oklab(linear(rgb));
            assert!(distance(found, [l, a, b]) < 0.1, "{rgb:?} {found:?}");
        }
        let white_to_black = distance(oklab(linear([255; 3])), oklab(linear([0; 3])));
        assert!((white_to_black - 100.0).abs() < 0.001);
    }

    #[test]
    fn rounding_finds_the_nearest_and_leaves_names_alone() {
        for (from, to) in [
            (Color::Rgb(0, 0, 0), Color::Indexed(16)),
            (Color::Rgb(255, 255, 255), Color::Indexed(231)),
            (Color::Rgb(94, 136, 174), Color::Indexed(67)),
            (Color::Rgb(9, 9, 9), Color::Indexed(232)),
            (Color::Red, Color::Red),
            (Color::Reset, Color::Reset),
        ] {
            assert_eq!(rounded(from), to);
        }
        for index in 16..=255 {
            let [r, g, b] = indexed(index).unwrap();
            assert_eq!(
                rgb(rounded(Color::Rgb(r, g, b))),
                Some([r, g, b]),
                "{index}"
            );
        }
    }
}
