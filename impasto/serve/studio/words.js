// Every word of the page, in every language it speaks.
import { desk } from "./desk.js";

export const LANGUAGES = { en: "English", zh: "中文" };

const en = {
  shots: "Shots", dropShot: "Drop shots or pictures here, or choose files", orPath: "or a path on the server", remove: "Remove",
  dropAgain: share => `${share} % here: drop the file again to go on`, frames: count => `${count} frames`,
  looks: "Looks", mattes: "Matte", keys: "Keyframes", learn: "Learn", live: "Live", settings: "Settings", close: "Close",
  lookInstalled: name => `The look ${name} is on the wall.`,
  compare: "Compare", painted: "Painted", source: "Source", wipe: "Wipe", beside: "Side by side", difference: "Difference",
  zoom: "Zoom", fit: "Fit", frame: "frame", resultOf: title => `Result: ${title}`, backToPreview: "Back to the preview",
  play: "Play", previous: "Frame before", next: "Next frame", setIn: "Set in", setOut: "Set out", wholeShot: "Whole shot",
  strength: "Strength", strengthHelp: "How much paint, from none to all", scale: "Brush size", scaleHelp: "2 paints with strokes twice as big",
  keepColour: "Keep colour", keepColourHelp: "How far the painting keeps the source's colours", share: "Share", shareHelp: "How much of the paint the second look is",
  feather: "Feather", featherHelp: "How soft the matte's edge is", invert: "Invert", mixWith: "Mix with", outside: "Outside it",
  matte: "Matte", everywhere: "Everywhere", skin: "Skin", none: "None", dropMatte: "Drop a matte: picture, sequence or movie",
  quality: "Quality", tier: "Quality", fast: "Fast", fine: "Fine", fastHelp: "The live network", fineHelp: "The finest network the look has", fastAndFine: "Fast and fine",
  format: "Format", format_mp4: "MP4 (H.264)", format_prores: "ProRes", format_ffv1: "FFV1, lossless", format_png: "PNG", format_exr: "EXR", format_jpg: "JPEG", format_tif: "TIFF",
  render: "Render", renderPart: (from, to) => `Render ${from}–${to}`, inQueue: "It is in the queue.",
  queue: "Queue", jobsOpen: (running, waiting) => `${running} running, ${waiting} waiting`, starting: "starting …", left: time => `${time} left`, perSecond: (rate, unit) => `${rate} ${unit}s/s`,
  running: "running", paused: "paused", done: "done", failed: "failed", cancelled: "cancelled", queued: "waiting",
  view: "View", download: "Download", check: "Check", report: "Report", watch: "Watch", pause: "Pause", cancel: "Cancel", first: "Next up", resume: "Resume", retry: "Try again", log: "Log",
  sourceGone: "Its source is not in the store any more.",
  matteHint: "Paint on the picture where the look is to be. Shift or Alt erases. It holds for the whole shot.", brush: "Brush", erase: "Erase", undo: "Undo", clear: "Clear", useMatte: "Use matte", paintedMatte: number => `painted ${number}`,
  keysHint: "Save a frame, paint over it in any program, and drop it back. A few such frames teach the look of the whole shot.", exportFrame: "Save this frame", dropKeys: "Drop painted frames here",
  minutes: "Minutes", chooseShot: "Choose a shot first.", noSuchFrame: (name, first, last) => `${name}: the last number in a name is the frame, from ${first} to ${last}`,
  learnHint: "Drop one painting or several; the look is learnt from them.", dropPaintings: "Drop paintings here", references: "Paintings", lookName: "Name", lookNameHelp: "A name for the look: small letters, digits and -",
  onShot: "For this shot", learning: "Learning", sheet: "Contact sheet", hang: "Put it on the wall",
  liveHint: "Your camera in the chosen look. Choose another on the wall while it runs.", startCamera: "Start camera", stopCamera: "Stop camera", pictureWidth: "Picture", rate: "Rate", noCamera: "A browser gives its camera to this machine or to https alone.",
  liveFigures: (fps, ms, scale) => `${fps} fps · ${ms} ms · painted at ${scale} %`,
  language: "Language", asSystem: "As the system", theme: "Theme", dark: "Dark", light: "Light", system: "As the system", previewWidth: "Previews", keyboard: "Keyboard",
  shortcuts: ["Play, stop", "Frame before, next frame", "Painted, source, wipe, side by side, difference", "Fit, every pixel", "In, out: the part that is rendered", "This page"],
  server: "Server", who: "You are", workers: "Jobs at once", jobs: "Jobs", store: "Store", storeTold: (used, room) => `${used} used, ${room} free`, audit: "Who did what", logOut: "Log out",
  token: "Key or token", tokenHint: "Your key (impasto users add NAME), or the token of the server, which lies in its store.", enter: "Enter",
  away: "The server cannot be reached; trying again …", begin: "Drop a shot or a picture anywhere.",
};

const zh = {
  shots: "素材", dropShot: "将镜头或图片拖到这里，或选择文件", orPath: "或服务器上的路径", remove: "移除",
  dropAgain: share => `已收到 ${share} %：再次拖入文件即可继续`, frames: count => `${count} 帧`,
  looks: "画风", mattes: "遮罩", keys: "关键帧", learn: "学习", live: "实时", settings: "设置", close: "关闭",
  lookInstalled: name => `画风 ${name} 已上墙。`,
  compare: "比较", painted: "画作", source: "原片", wipe: "划像", beside: "并排", difference: "差异",
  zoom: "缩放", fit: "适合", frame: "帧", resultOf: title => `结果：${title}`, backToPreview: "回到预览",
  play: "播放", previous: "上一帧", next: "下一帧", setIn: "设入点", setOut: "设出点", wholeShot: "整个镜头",
  strength: "强度", strengthHelp: "上多少颜料，从无到全部", scale: "笔触大小", scaleHelp: "2 表示笔触大一倍",
  keepColour: "保留色彩", keepColourHelp: "画作保留多少原片的色彩", share: "比例", shareHelp: "第二种画风所占的比例",
  feather: "羽化", featherHelp: "遮罩边缘的柔和程度", invert: "反转", mixWith: "混合", outside: "遮罩之外",
  matte: "遮罩", everywhere: "全部", skin: "皮肤", none: "无", dropMatte: "拖入遮罩：图片、序列或影片",
  quality: "质量", tier: "质量", fast: "快速", fine: "精细", fastHelp: "实时网络", fineHelp: "该画风最精细的网络", fastAndFine: "快速与精细",
  format: "格式", format_mp4: "MP4（H.264）", format_prores: "ProRes", format_ffv1: "FFV1，无损", format_png: "PNG", format_exr: "EXR", format_jpg: "JPEG", format_tif: "TIFF",
  render: "渲染", renderPart: (from, to) => `渲染 ${from}–${to}`, inQueue: "已加入队列。",
  queue: "队列", jobsOpen: (running, waiting) => `${running} 个进行中，${waiting} 个等待`, starting: "正在启动……", left: time => `剩余 ${time}`, perSecond: (rate, unit) => `${rate} ${unit === "frame" ? "帧" : "步"}/秒`,
  running: "进行中", paused: "已暂停", done: "完成", failed: "失败", cancelled: "已取消", queued: "等待中",
  view: "查看", download: "下载", check: "质检", report: "报告", watch: "观察", pause: "暂停", cancel: "取消", first: "优先", resume: "继续", retry: "重试", log: "日志",
  sourceGone: "它的素材已不在库中。",
  matteHint: "在画面上涂出画风所在之处。按住 Shift 或 Alt 擦除。对整个镜头有效。", brush: "画笔", erase: "擦除", undo: "撤销", clear: "清空", useMatte: "使用遮罩", paintedMatte: number => `手绘 ${number}`,
  keysHint: "保存一帧，用任何软件在上面作画，再拖回来。几帧即可教会整个镜头。", exportFrame: "保存此帧", dropKeys: "将画好的帧拖到这里",
  minutes: "分钟", chooseShot: "请先选择镜头。", noSuchFrame: (name, first, last) => `${name}：文件名中最后的数字是帧号，从 ${first} 到 ${last}`,
  learnHint: "拖入一幅或几幅画，画风由此学成。", dropPaintings: "将画作拖到这里", references: "画作", lookName: "名称", lookNameHelp: "画风的名称：小写字母、数字和 -",
  onShot: "为此镜头", learning: "学习过程", sheet: "样张", hang: "挂上墙",
  liveHint: "你的摄像头，以所选画风呈现。运行时可在墙上另选。", startCamera: "打开摄像头", stopCamera: "关闭摄像头", pictureWidth: "画面", rate: "帧率", noCamera: "浏览器只对本机或 https 开放摄像头。",
  liveFigures: (fps, ms, scale) => `${fps} 帧/秒 · ${ms} 毫秒 · 绘制比例 ${scale} %`,
  language: "语言", asSystem: "跟随系统", theme: "主题", dark: "深色", light: "浅色", system: "跟随系统", previewWidth: "预览", keyboard: "键盘",
  shortcuts: ["播放、停止", "上一帧、下一帧", "画作、原片、划像、并排、差异", "适合、逐像素", "入点、出点：要渲染的部分", "本页"],
  server: "服务器", who: "你是", workers: "同时任务数", jobs: "任务", store: "存储", storeTold: (used, room) => `已用 ${used}，可用 ${room}`, audit: "操作记录", logOut: "退出登录",
  token: "密钥或令牌", tokenHint: "你的密钥（impasto users add NAME），或存放在服务器库中的令牌。", enter: "进入",
  away: "无法连接服务器，正在重试……", begin: "将镜头或图片拖到任意位置。",
};

const spoken = desk.language || (navigator.language.startsWith("zh") ? "zh" : "en");
document.documentElement.lang = spoken;
const words = { en, zh }[spoken] ?? en;

// A word or a sentence; what is not in the list stands for itself, as a unit that only the server knows.
export function t(name, ...values) {
  const found = words[name] ?? name;
  return typeof found === "function" ? found(...values) : found;
}

export const size = bytes => bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
export const when = seconds => new Date(1000 * seconds).toLocaleString(spoken);
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds)), pad = number => String(number).padStart(2, "0");
  return whole < 3600 ? `${Math.floor(whole / 60)}:${pad(whole % 60)}` : `${Math.floor(whole / 3600)}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
}
