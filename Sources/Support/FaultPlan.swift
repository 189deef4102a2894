#if DEBUG
    import Foundation
    import Synchronization

    /// Faults that debug builds inject, so that tests can walk a failure through a whole session.
    ///
    /// A plan counts the calls of each site and names those that fail. Tests install one for a task with
    /// `FaultPlan.$current.withValue(plan)`; the environment variable `FOVEA_FAULTS` gives one to a whole process:
    /// `allocation:12,submission:3` fails the 12th allocation and the 3rd submission, `read:2:EIO` the second read.
    package final class FaultPlan: Sendable {
        /// A kind of call that can fail.
        package enum Site: String, Sendable, Hashable, CaseIterable {
            /// An allocation of device memory: fails for lack of memory.
            case allocation
            /// A submission to the device: the device is lost.
            case submission
            /// A wait for the device: the device is lost.
            case wait
            /// A read of a file.
            case read
            /// A write of a file.
            case write
        }

        /// A failure of a call.
        package enum Failure: Sendable, Hashable {
            /// The call fails with an error number of the system, or, on the device, in the way of its site.
            case error(Int32)
            /// A read or write of fewer bytes than were asked for.
            case short

            fileprivate init?(name: Substring) {
                switch name {
                case "EIO": self = .error(EIO)
                case "EINTR": self = .error(EINTR)
                case "ENOSPC": self = .error(ENOSPC)
                case "SHORT": self = .short
                default: return nil
                }
            }
        }

        /// The failure of one call.
        package struct Fault: Sendable, Hashable {
            package let site: Site
            /// Number of the call among those of its site, from 1.
            package let call: Int
            package let failure: Failure

            package init(_ site: Site, call: Int, failure: Failure = .error(EIO)) {
                self.site = site
                self.call = call
                self.failure = failure
            }
        }

        private struct State {
            var calls: [Site: Int] = [:]
            var fired: [Fault] = []
        }

        private let faults: [Fault]
        private let state = Mutex(State())

        package init(_ faults: [Fault] = []) { self.faults = faults }

        /// Reads `site:call` or `site:call:failure`, separated by commas; `nil` for any other text.
        package convenience init?(parsing text: String) {
            var faults: [Fault] = []
            for entry in text.split(separator: ",") {
                let parts = entry.split(separator: ":", omittingEmptySubsequences: false)
                guard (2...3).contains(parts.count), let site = Site(rawValue: String(parts[0])),
                    let call = Int(parts[1]), call > 0
                else { return nil }
                guard parts.count == 3 else {
                    faults.append(Fault(site, call: call))
                    continue
                }
                guard let failure = Failure(name: parts[2]) else { return nil }
                faults.append(Fault(site, call: call, failure: failure))
            }
            self.init(faults)
        }

        /// The plan of the current task.
        @TaskLocal package static var current = environment

        private static let environment: FaultPlan = {
            guard let text = ProcessInfo.processInfo.environment["FOVEA_FAULTS"] else { return FaultPlan() }
            if let plan = FaultPlan(parsing: text) { return plan }
            let line = "FOVEA_FAULTS is not a list such as allocation:12,read:2:EIO: no fault is injected\n"
            FileHandle.standardError.write(Data(line.utf8))
            return FaultPlan()
        }()

        /// Counts a call of a site; the failure that it is to have, if any.
        package func next(_ site: Site) -> Failure? {
            state.withLock { state in
                let call = state.calls[site, default: 0] + 1
                state.calls[site] = call
                guard let fault = faults.first(where: { $0.site == site && $0.call == call }) else { return nil }
                state.fired.append(fault)
                return fault.failure
            }
        }

        /// Calls of a site so far.
        package func calls(_ site: Site) -> Int { state.withLock { $0.calls[site, default: 0] } }

        /// Faults that have struck.
        package var fired: [Fault] { state.withLock { $0.fired } }
    }
#endif
