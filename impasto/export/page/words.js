"use strict";
// All that the page says, in both languages.

const WORDS = {
  en: {
    promise: "Painted here, in your browser. No picture leaves this device.",
    drop: "Drop a picture", choose: "Choose a picture", camera: "Camera", stop: "Stop camera", strength: "Strength", size: "Size",
    on: "On", auto: "auto", own: "its own", save: "Save PNG", wipe: "Before and after", other: "中文",
    opening: "Making the network ready …",
    picture: f => `${f.on} · ${f.width} × ${f.height} · ${f.ms} ms`,
    smaller: f => `of ${f.width} × ${f.height}, painted smaller`,
    moving: f => `${f.on} · ${f.width} × ${f.height} · ${f.fps} frames a second · ${f.ms} ms each`,
    origin: f => `${f.title}: ${f.licence}. Made with impasto ${f.version}; weights ${f.megabytes} MB.`,
    noGpu: "This browser has no WebGPU here: WebAssembly paints.",
    lost: "WebGPU failed here: WebAssembly paints.",
    unread: "This file is no picture that the browser can read.",
    noCamera: "The browser gives no camera to this page: open it over https or from http://localhost, and allow it.",
  },
  zh: {
    promise: "就在您的浏览器中绘制，图片不会离开本设备。",
    drop: "将图片拖放到此处", choose: "选择图片", camera: "使用摄像头", stop: "停止摄像头", strength: "强度", size: "尺寸",
    on: "运行于", auto: "自动", own: "原始尺寸", save: "保存 PNG", wipe: "绘制前后对比", other: "English",
    opening: "正在准备网络……",
    picture: f => `${f.on} · ${f.width} × ${f.height} · ${f.ms} 毫秒`,
    smaller: f => `原图 ${f.width} × ${f.height}，已缩小绘制`,
    moving: f => `${f.on} · ${f.width} × ${f.height} · 每秒 ${f.fps} 帧 · 每帧 ${f.ms} 毫秒`,
    origin: f => `${f.title}：${f.licence}。由 impasto ${f.version} 生成；权重 ${f.megabytes} MB。`,
    noGpu: "此浏览器在这里没有 WebGPU：改用 WebAssembly 绘制。",
    lost: "WebGPU 在此出错：改用 WebAssembly 绘制。",
    unread: "浏览器无法读取此文件中的图片。",
    noCamera: "浏览器未向本页提供摄像头：请通过 https 或 http://localhost 打开，并允许使用。",
  },
};
