use super::compound::put_u32;
use crate::header::u32_at;

/// A report block (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReportBlock {
    pub ssrc: u32,
    /// Loss since the report before, in 1/256.
    pub fraction: u8,
    /// Cumulative; told with 24 bits and sign.
    pub lost: i32,
    /// Cycles in the upper 16 bits.
    pub highest: u32,
    pub jitter_ticks: u32,
    /// Middle 32 bits of the NTP time in the last sender report; 0: none came.
    pub last_sender_report: u32,
    /// Since that report came, in 1/65536 s.
    pub delay: u32,
}

/// Reads up to `count` blocks; those past the end of the packet are not there.
pub(crate) fn read(packet: &[u8], start: usize, count: u8) -> impl Iterator<Item = ReportBlock> {
    let blocks = packet.get(start..).unwrap_or_default().chunks_exact(BLOCK_BYTES);
    blocks.take(usize::from(count)).filter_map(|block| {
        let word = |at| u32_at(block, at);
        Some(ReportBlock {
            ssrc: word(0)?,
            fraction: block[4],
            lost: word(4)?.cast_signed() << 8 >> 8,
            highest: word(8)?,
            jitter_ticks: word(12)?,
            last_sender_report: word(16)?,
            delay: word(20)?,
        })
    })
}

pub(crate) fn write(packet: &mut [u8], at: usize, block: &ReportBlock) {
    let lost = block.lost.clamp(-LOST_LIMIT, LOST_LIMIT - 1).cast_unsigned() & 0x00ff_ffff;
    put_u32(packet, at, block.ssrc);
    put_u32(packet, at + 4, u32::from(block.fraction) << 24 | lost);
    put_u32(packet, at + 8, block.highest);
    put_u32(packet, at + 12, block.jitter_ticks);
    put_u32(packet, at + 16, block.last_sender_report);
    put_u32(packet, at + 20, block.delay);
}

pub(crate) const BLOCK_BYTES: usize = 24;
const LOST_LIMIT: i32 = 0x80_0000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3550_6_4_1_the_cumulative_loss_has_24_bits_and_a_sign() {
        for (lost, told) in [(-1, -1), (5, 5), (i32::MAX, 0x7f_ffff), (i32::MIN, -0x80_0000)] {
            let block = ReportBlock {
                ssrc: 1,
                fraction: 0xff,
                lost,
                highest: 2,
                jitter_ticks: 3,
                last_sender_report: 4,
                delay: 5,
            };
            let mut packet = [0; BLOCK_BYTES];
            write(&mut packet, 0, &block);
            assert_eq!(read(&packet, 0, 1).next(), Some(ReportBlock { lost: told, ..block }));
        }
    }
}
