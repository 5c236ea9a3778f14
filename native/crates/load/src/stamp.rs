use trunkline_base::Micros;

/// What the payload of each packet begins with: whose it is, which one, and when it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The run that sent it.
    pub run: u64,
    /// Index of the end that sent it.
    pub end: u32,
    /// Packets the end had sent before.
    pub number: u32,
    /// When it was sent.
    pub sent_at: Micros,
    /// Whether it was due within the measurement.
    pub measured: bool,
}

impl Stamp {
    /// Bytes of a stamp.
    pub const BYTES: usize = 25;

    /// Writes it to the first bytes of a payload.
    ///
    /// # Panics
    /// If the payload is shorter than a stamp.
    pub fn write(&self, payload: &mut [u8]) {
        payload[..8].copy_from_slice(&self.run.to_be_bytes());
        payload[8..12].copy_from_slice(&self.end.to_be_bytes());
        payload[12..16].copy_from_slice(&self.number.to_be_bytes());
        payload[16..24].copy_from_slice(&self.sent_at.to_be_bytes());
        payload[24] = self.measured.into();
    }

    /// The stamp of a payload of this run; `None`: it is of something else.
    pub fn read(payload: &[u8], run: u64) -> Option<Stamp> {
        let (found, rest) = payload.split_first_chunk::<8>()?;
        let (end, rest) = rest.split_first_chunk::<4>()?;
        let (number, rest) = rest.split_first_chunk::<4>()?;
        let (sent_at, rest) = rest.split_first_chunk::<8>()?;
        let measured = *rest.first()? != 0;
        (u64::from_be_bytes(*found) == run).then_some(Stamp {
            run,
            end: u32::from_be_bytes(*end),
            number: u32::from_be_bytes(*number),
            sent_at: Micros::from_be_bytes(*sent_at),
            measured,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_written_and_only_by_its_own_run() {
        let stamp = Stamp { run: 0x0102_0304_0506_0708, end: 7, number: 9, sent_at: 1 << 40, measured: true };
        let mut payload = [0xff; 160];
        stamp.write(&mut payload);
        assert_eq!(Stamp::read(&payload, stamp.run), Some(stamp));
        assert_eq!(Stamp::read(&payload, stamp.run + 1), None);
        assert_eq!(Stamp::read(&payload[..Stamp::BYTES - 1], stamp.run), None);
    }
}
