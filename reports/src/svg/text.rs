//! How wide a text is, without a font on the machine.
//!
//! Advances of the printable ASCII characters of `DejaVu Sans` and its bold, in thousandths of the size (read
//! from the fonts' `hmtx` tables). It is the widest of the fallbacks in the font list, so what fits here fits
//! everywhere. Other characters count as a wide one.

const PLAIN: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838,
    531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390,
    838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337,
    636, 838,
];
const BOLD: [u16; 95] = [
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838,
    580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 372, 775, 637, 995, 837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365,
    457, 838, 500, 500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712,
    365, 712, 838,
];

/// Width in pixels at a size.
pub(super) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let table = if bold { &BOLD } else { &PLAIN };
    let advance = |c: char| match c {
        ' '..='~' => table[c as usize - 32],
        '\u{a0}' => table[0],
        '–' => 500,
        '·' => 380,
        _ => 1000,
    };
    text.chars().map(|c| f64::from(advance(c))).sum::<f64>() * size / 1000.0
}

/// The text, cut with an ellipsis when it is wider than `room`.
pub(super) fn fit(text: &str, size: f64, bold: bool, room: f64) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let mut cut: String = text.to_owned();
    while !cut.is_empty() && width(&cut, size, bold) + size > room {
        cut.pop();
    }
    if cut.is_empty() { cut } else { format!("{}…", cut.trim_end()) }
}

/// The text in lines no wider than `room`, at most `lines` of them.
pub(super) fn wrap(text: &str, size: f64, bold: bool, room: f64, lines: usize) -> Vec<String> {
    let mut wrapped: Vec<String> = vec![String::new()];
    // A number and its percent sign stay together.
    let glued = text.replace(" %", "\u{a0}%");
    let mut words = glued.split(' ');
    while let Some(word) = words.next() {
        let line = wrapped.last().map_or("", String::as_str);
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer, size, bold) <= room || line.is_empty() {
            wrapped.pop();
            wrapped.push(longer);
        } else if wrapped.len() < lines {
            wrapped.push(word.to_owned());
        } else {
            let rest: Vec<&str> = words.collect();
            let last = format!("{longer} {}", rest.join(" "));
            wrapped.pop();
            wrapped.push(last);
            break;
        }
    }
    wrapped.iter().map(|line| fit(&line.replace('\u{a0}', " "), size, bold, room)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The advance of `i` is 278 thousandths in the font's own table.
    #[test]
    fn widths_scale_with_size_and_fit_cuts() {
        assert!((width("iiii", 10.0, false) - 11.12).abs() < 1e-9);
        assert!(width("WWW", 10.0, true) > width("WWW", 10.0, false));
        let cut = fit("a label that is far too long", 13.0, false, 80.0);
        assert!(cut.ends_with('…') && width(&cut, 13.0, false) <= 80.0, "{cut}");
    }

    #[test]
    fn wrapping_keeps_all_words_when_there_is_room() {
        let lines = wrap("one two three four", 10.0, false, 70.0, 3);
        assert_eq!(lines.join(" "), "one two three four");
        assert!(lines.len() > 1 && lines.iter().all(|l| width(l, 10.0, false) <= 70.0));
        assert_eq!(wrap("one two three four five six", 10.0, false, 60.0, 2).len(), 2);
    }
}
