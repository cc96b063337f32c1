//! Protobuf's wire format: numbered fields of four kinds. Pure; every length is checked against what is there.

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    Number(u64),
    Eight(u64),
    Bytes(&'a [u8]),
    Four(u32),
}

impl<'a> Wire<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], String> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => Err(format!("expected bytes, found {other:?}")),
        }
    }

    pub(super) fn text(self) -> Result<String, String> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| "a text is no UTF-8".to_owned())
    }

    /// The number as Go's int64 has it.
    pub(super) fn number(self) -> Result<i64, String> {
        match self {
            Self::Number(number) => Ok(number.cast_signed()),
            other => Err(format!("expected a number, found {other:?}")),
        }
    }

    pub(super) fn eight(self) -> Result<u64, String> {
        match self {
            Self::Eight(bits) => Ok(bits),
            other => Err(format!("expected eight bytes, found {other:?}")),
        }
    }
}

/// The fields of a message in their order; ends after the first error.
pub(super) fn fields(bytes: &[u8]) -> impl Iterator<Item = Result<(u32, Wire<'_>), String>> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let mut left = rest.take().filter(|left| !left.is_empty())?;
        let found = next(&mut left);
        if found.is_ok() {
            rest = Some(left);
        }
        Some(found)
    })
}

/// Whole numbers that were packed into one field.
pub(super) fn packed(mut bytes: &[u8]) -> Result<Vec<i64>, String> {
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        numbers.push(varint(&mut bytes)?.cast_signed());
    }
    Ok(numbers)
}

fn next<'a>(left: &mut &'a [u8]) -> Result<(u32, Wire<'a>), String> {
    let key = varint(left)?;
    let number = u32::try_from(key >> 3).map_err(|_| "a field's number is too large".to_owned())?;
    let wire = match key & 7 {
        0 => Wire::Number(varint(left)?),
        1 => Wire::Eight(u64::from_le_bytes(array(left)?)),
        2 => {
            let length = usize::try_from(varint(left)?).unwrap_or(usize::MAX);
            Wire::Bytes(take(left, length)?)
        }
        5 => Wire::Four(u32::from_le_bytes(array(left)?)),
        other => return Err(format!("illegal wireType {other}")),
    };
    Ok((number, wire))
}

fn varint(left: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = array(left)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number is too long".to_owned())
}

fn array<const N: usize>(left: &mut &[u8]) -> Result<[u8; N], String> {
    take(left, N)?.try_into().map_err(|_| "unexpected EOF".to_owned())
}

fn take<'a>(left: &mut &'a [u8], length: usize) -> Result<&'a [u8], String> {
    let (taken, rest) = left.split_at_checked(length).ok_or("unexpected EOF")?;
    *left = rest;
    Ok(taken)
}
