#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A discrete Fourier transform of a fixed length, any length: X[k] = Σ x[n] e^(-2πi nk / length).
///
/// Stockham's self-sorting form with mixed radices (C. Van Loan, *Computational Frameworks for the FFT*, 1992, §1.7):
/// Whisper's 400 = 4·4·5·5 needs no padding to a power of two, which would change the frequencies. Lengths with large
/// prime factors work, at the cost of the square of that prime.
struct FourierTransform: Sendable {
    let length: Int
    private let stages: [Stage]

    fileprivate struct Stage: Sendable {
        let radix: Int
        /// Sub-transforms left after this stage, and the distance between elements of one.
        let rest: Int
        let stride: Int
        /// `[rest, radix]` e^(-2πi pj / (rest·radix)).
        let twiddleReal: [Double]
        let twiddleImaginary: [Double]
        /// `[radix]` e^(-2πi j / radix).
        let rootReal: [Double]
        let rootImaginary: [Double]
    }

    init(length: Int) {
        precondition(length > 0, "a Fourier transform has a positive length")
        self.length = length
        var stages: [Stage] = []
        var left = length, stride = 1
        for radix in Self.radices(of: length) {
            let rest = left / radix
            var twiddleReal: [Double] = [], twiddleImaginary: [Double] = []
            for p in 0..<rest {
                for j in 0..<radix {
                    let angle = -2 * Double.pi * Double((p * j) % left) / Double(left)
                    twiddleReal.append(cos(angle))
                    twiddleImaginary.append(sin(angle))
                }
            }
            let angles = (0..<radix).map { -2 * Double.pi * Double($0) / Double(radix) }
            stages.append(
                Stage(
                    radix: radix, rest: rest, stride: stride, twiddleReal: twiddleReal,
                    twiddleImaginary: twiddleImaginary,
                    rootReal: angles.map { cos($0) }, rootImaginary: angles.map { sin($0) }))
            left = rest
            stride *= radix
        }
        self.stages = stages
    }

    private static func radices(of length: Int) -> [Int] {
        var left = length, result: [Int] = []
        for radix in [4, 2, 3, 5] {
            while left % radix == 0 {
                result.append(radix)
                left /= radix
            }
        }
        var prime = 7
        while left > 1 {
            if prime * prime > left { prime = left }
            while left % prime == 0 {
                result.append(prime)
                left /= prime
            }
            prime += 2
        }
        return result
    }

    /// Number of doubles of scratch space for `transform`.
    var scratchCount: Int { 2 * length }

    /// Transforms `real + i·imaginary` (each `length`) in place.
    func transform(
        real: UnsafeMutablePointer<Double>, imaginary: UnsafeMutablePointer<Double>,
        scratch: UnsafeMutablePointer<Double>
    ) {
        var (sourceReal, sourceImaginary) = (real, imaginary)
        var (targetReal, targetImaginary) = (scratch, scratch + length)
        for stage in stages {
            switch stage.radix {
            case 4: stage.radix4(sourceReal, sourceImaginary, targetReal, targetImaginary)
            case 5: stage.radix5(sourceReal, sourceImaginary, targetReal, targetImaginary)
            default: stage.anyRadix(sourceReal, sourceImaginary, targetReal, targetImaginary)
            }
            swap(&sourceReal, &targetReal)
            swap(&sourceImaginary, &targetImaginary)
        }
        if sourceReal != real {
            real.update(from: sourceReal, count: length)
            imaginary.update(from: sourceImaginary, count: length)
        }
    }
}

fileprivate extension FourierTransform.Stage {
    typealias Pointer = UnsafeMutablePointer<Double>

    /// The element order of all radices: input `q + stride·(p + rest·k)`, output `q + stride·(radix·p + j)`.
    @inline(__always)
    func radix4(_ xr: Pointer, _ xi: Pointer, _ yr: Pointer, _ yi: Pointer) {
        let s = stride, m = s * rest
        twiddleReal.withUnsafeBufferPointer { wr in
            twiddleImaginary.withUnsafeBufferPointer { wi in
                for p in 0..<rest {
                    let w1r = wr[4 * p + 1], w2r = wr[4 * p + 2], w3r = wr[4 * p + 3]
                    let w1i = wi[4 * p + 1], w2i = wi[4 * p + 2], w3i = wi[4 * p + 3]
                    let input = s * p, output = s * 4 * p
                    for q in 0..<s {
                        let i = input + q, o = output + q
                        let ar = xr[i] + xr[i + 2 * m], ai = xi[i] + xi[i + 2 * m]
                        let br = xr[i] - xr[i + 2 * m], bi = xi[i] - xi[i + 2 * m]
                        let cr = xr[i + m] + xr[i + 3 * m], ci = xi[i + m] + xi[i + 3 * m]
                        let dr = xr[i + m] - xr[i + 3 * m], di = xi[i + m] - xi[i + 3 * m]
                        yr[o] = ar + cr
                        yi[o] = ai + ci
                        let er = br + di, ei = bi - dr
                        yr[o + s] = er * w1r - ei * w1i
                        yi[o + s] = er * w1i + ei * w1r
                        let fr = ar - cr, fi = ai - ci
                        yr[o + 2 * s] = fr * w2r - fi * w2i
                        yi[o + 2 * s] = fr * w2i + fi * w2r
                        let gr = br - di, gi = bi + dr
                        yr[o + 3 * s] = gr * w3r - gi * w3i
                        yi[o + 3 * s] = gr * w3i + gi * w3r
                    }
                }
            }
        }
    }

    @inline(__always)
    func radix5(_ xr: Pointer, _ xi: Pointer, _ yr: Pointer, _ yi: Pointer) {
        let s = stride, m = s * rest
        // cos and sin of 2π/5 and 4π/5.
        let c1 = rootReal[1], c2 = rootReal[2], s1 = -rootImaginary[1], s2 = -rootImaginary[2]
        twiddleReal.withUnsafeBufferPointer { wr in
            twiddleImaginary.withUnsafeBufferPointer { wi in
                for p in 0..<rest {
                    let w = 5 * p
                    let input = s * p, output = s * 5 * p
                    for q in 0..<s {
                        let i = input + q, o = output + q
                        let x0r = xr[i], x0i = xi[i]
                        let ar = xr[i + m] + xr[i + 4 * m], ai = xi[i + m] + xi[i + 4 * m]
                        let br = xr[i + m] - xr[i + 4 * m], bi = xi[i + m] - xi[i + 4 * m]
                        let cr = xr[i + 2 * m] + xr[i + 3 * m], ci = xi[i + 2 * m] + xi[i + 3 * m]
                        let dr = xr[i + 2 * m] - xr[i + 3 * m], di = xi[i + 2 * m] - xi[i + 3 * m]
                        yr[o] = x0r + ar + cr
                        yi[o] = x0i + ai + ci
                        let er = x0r + c1 * ar + c2 * cr, ei = x0i + c1 * ai + c2 * ci
                        let fr = x0r + c2 * ar + c1 * cr, fi = x0i + c2 * ai + c1 * ci
                        let gr = s1 * br + s2 * dr, gi = s1 * bi + s2 * di
                        let hr = s2 * br - s1 * dr, hi = s2 * bi - s1 * di
                        let t1r = er + gi, t1i = ei - gr, t4r = er - gi, t4i = ei + gr
                        let t2r = fr + hi, t2i = fi - hr, t3r = fr - hi, t3i = fi + hr
                        yr[o + s] = t1r * wr[w + 1] - t1i * wi[w + 1]
                        yi[o + s] = t1r * wi[w + 1] + t1i * wr[w + 1]
                        yr[o + 2 * s] = t2r * wr[w + 2] - t2i * wi[w + 2]
                        yi[o + 2 * s] = t2r * wi[w + 2] + t2i * wr[w + 2]
                        yr[o + 3 * s] = t3r * wr[w + 3] - t3i * wi[w + 3]
                        yi[o + 3 * s] = t3r * wi[w + 3] + t3i * wr[w + 3]
                        yr[o + 4 * s] = t4r * wr[w + 4] - t4i * wi[w + 4]
                        yi[o + 4 * s] = t4r * wi[w + 4] + t4i * wr[w + 4]
                    }
                }
            }
        }
    }

    /// The definition of the transform, for radices without a special form.
    func anyRadix(_ xr: Pointer, _ xi: Pointer, _ yr: Pointer, _ yi: Pointer) {
        let s = stride, m = s * rest
        for p in 0..<rest {
            for j in 0..<radix {
                let wr = twiddleReal[p * radix + j], wi = twiddleImaginary[p * radix + j]
                for q in 0..<s {
                    var sumReal = 0.0, sumImaginary = 0.0
                    for k in 0..<radix {
                        let i = q + s * p + m * k, root = (j * k) % radix
                        sumReal += xr[i] * rootReal[root] - xi[i] * rootImaginary[root]
                        sumImaginary += xr[i] * rootImaginary[root] + xi[i] * rootReal[root]
                    }
                    let o = q + s * (radix * p + j)
                    yr[o] = sumReal * wr - sumImaginary * wi
                    yi[o] = sumReal * wi + sumImaginary * wr
                }
            }
        }
    }
}
